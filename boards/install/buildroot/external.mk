include $(sort $(wildcard $(BR2_EXTERNAL_MARTLET_PATH)/package/*/*.mk))

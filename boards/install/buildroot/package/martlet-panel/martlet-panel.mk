################################################################################
#
# martlet-panel
#
################################################################################

# The programs are built already, and static: nothing of the toolchain is needed.
MARTLET_PANEL_VERSION = @VERSION@
MARTLET_PANEL_SITE = $(MARTLET_PANEL_PKGDIR)/files
MARTLET_PANEL_SITE_METHOD = local
MARTLET_PANEL_LICENSE = MIT, Apache-2.0 (Mbed TLS)
MARTLET_PANEL_LICENSE_FILES = LICENSE NOTICE LICENSE.Apache-2.0
MARTLET_PANEL_ADD_TOOLCHAIN_DEPENDENCY = NO

define MARTLET_PANEL_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 $(@D)/martlet-panel.$(call qstrip,$(BR2_ARCH)) \
		$(TARGET_DIR)/usr/bin/martlet-panel
	$(INSTALL) -D -m 0644 $(@D)/martlet-panel.default \
		$(TARGET_DIR)/etc/default/martlet-panel
endef

define MARTLET_PANEL_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(@D)/martlet-panel.sysv \
		$(TARGET_DIR)/etc/init.d/S50martlet-panel
endef

define MARTLET_PANEL_INSTALL_INIT_OPENRC
	$(INSTALL) -D -m 0755 $(@D)/martlet-panel.openrc \
		$(TARGET_DIR)/etc/init.d/martlet-panel
endef

define MARTLET_PANEL_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(@D)/martlet-panel.service \
		$(TARGET_DIR)/usr/lib/systemd/system/martlet-panel.service
endef

define MARTLET_PANEL_USERS
	martlet -1 martlet -1 * /var/lib/martlet - - Martlet device panel
endef

$(eval $(generic-package))

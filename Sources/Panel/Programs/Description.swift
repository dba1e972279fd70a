// What /api/v1 answers, in the words of OpenAPI 3.1. Tests/Wire/test_api.py holds every answer to it.

/// The description of the API.
enum Description {
  static var text: StaticString {
    """
    {"openapi":"3.1.0","info":{"title":"martlet-panel","version":"1"},"servers":[{"url":"/api/v1"}],
    "security":[{"token":[]},{"session":[]}],"paths":{
    "/system":{"get":{"responses":{"200":{"$ref":"#/components/responses/System"},
    "default":{"$ref":"#/components/responses/Problem"}}}},
    "/memory":{"get":{"responses":{"200":{"$ref":"#/components/responses/Memory"},
    "default":{"$ref":"#/components/responses/Problem"}}}},
    "/disks":{"get":{"responses":{"200":{"$ref":"#/components/responses/Disks"},
    "default":{"$ref":"#/components/responses/Problem"}}}},
    "/interfaces":{"get":{"responses":{"200":{"$ref":"#/components/responses/Interfaces"},
    "default":{"$ref":"#/components/responses/Problem"}}}},
    "/temperature":{"get":{"responses":{"200":{"$ref":"#/components/responses/Temperature"},
    "default":{"$ref":"#/components/responses/Problem"}}}},
    "/samples":{"get":{"responses":{"200":{"$ref":"#/components/responses/Samples"},
    "default":{"$ref":"#/components/responses/Problem"}}}},
    "/access":{"get":{"responses":{"200":{"$ref":"#/components/responses/Access"},
    "default":{"$ref":"#/components/responses/Problem"}}}},
    "/openapi.json":{"get":{"responses":{"200":{"$ref":"#/components/responses/Description"},
    "default":{"$ref":"#/components/responses/Problem"}}}}},
    "components":{"securitySchemes":{
    "token":{"type":"http","scheme":"bearer"},
    "session":{"description":"Named for the port","type":"apiKey","in":"cookie","name":"martlet-8080"}},
    "responses":{
    "System":{"description":"Name, kernel, clock, load","content":{"application/json":{"schema":
    {"type":"object","required":["hostname","model","kernel","panel_version","time","clock",
    "uptime_seconds","load","processors","processor_limit"],"properties":{"hostname":{"type":["string",
    "null"]},"model":{"type":["string","null"]},"kernel":{"type":["string","null"]},
    "panel_version":{"type":"string"},"time":{"type":"integer"},"clock":{"enum":["synchronized",
    "not_synchronized","not_set"]},"uptime_seconds":{"type":["integer","null"]},
    "load":{"description":"1, 5, 15 minutes","type":"array","items":{"type":["number","null"]},
    "maxItems":3},"processors":{"type":["integer","null"]},
    "processor_limit":{"description":"Of a container","type":["number","null"]}}}}}},
    "Memory":{"description":"Memory, and a container's limit","content":{"application/json":{"schema":
    {"type":"object","required":["total_bytes","available_bytes","container"],
    "properties":{"total_bytes":{"type":["integer","null"]},"available_bytes":{"type":["integer","null"]},
    "container":{"type":["object","null"],"required":["limit_bytes","used_bytes"],
    "properties":{"limit_bytes":{"type":"integer"},"used_bytes":{"type":["integer","null"]}}}}}}}},
    "Disks":{"description":"File systems, the most important first","content":{"application/json":{"schema":
    {"type":"object","required":["disks","omitted","overlays"],"properties":{"disks":{"type":"array",
    "maxItems":8,"items":{"type":"object","required":["mount_point","device","read_only","failed",
    "total_bytes","used_bytes","available_bytes","used_percent","answers","age_seconds"],
    "properties":{"mount_point":{"type":"string"},"device":{"type":"string"},"read_only":{"type":"boolean"},
    "failed":{"description":"Made read-only by the kernel","type":"boolean"},
    "total_bytes":{"type":["integer","null"]},"used_bytes":{"type":["integer","null"]},
    "available_bytes":{"type":["integer","null"]},"used_percent":{"type":["integer","null"]},
    "answers":{"description":"If not, the sizes are the last that it said","type":"boolean"},
    "age_seconds":{"type":["integer","null"]}}}},"omitted":{"type":"integer"},
    "overlays":{"type":"integer"}}}}}},
    "Interfaces":{"description":"Network interfaces, the most important first",
    "content":{"application/json":{"schema":
    {"type":"object","required":["interfaces","omitted","addresses_omitted"],
    "properties":{"interfaces":{"type":"array","maxItems":10,"items":{"type":"object","required":["name",
    "state","addresses","addresses_omitted","received_bytes","sent_bytes"],
    "properties":{"name":{"type":"string"},"state":{"type":["string","null"]},"addresses":{"type":"array",
    "maxItems":4,"items":{"type":"string"}},"addresses_omitted":{"type":"integer"},
    "received_bytes":{"type":"integer"},"sent_bytes":{"type":"integer"}}}},"omitted":{"type":"integer"},
    "addresses_omitted":{"type":"integer"}}}}}},
    "Temperature":{"description":"Temperature of the processor","content":{"application/json":{"schema":
    {"type":"object","required":["celsius","sensor","answers"],"properties":{"celsius":{"type":["number",
    "null"]},"sensor":{"type":["string","null"]},"answers":{"type":"boolean"}}}}}},
    "Samples":{"description":"The newest values; null where unknown, or with --history off",
    "content":{"application/json":{"schema":
    {"type":"object","required":["interval_seconds","cpu_usage_ratio","cpu_busiest_usage_ratio","load1",
    "memory_usage_ratio","temperature_celsius","disk_read_bytes_per_second","disk_written_bytes_per_second",
    "network_receive_bytes_per_second","network_transmit_bytes_per_second","memory_used_bytes",
    "cpu_core_usage_ratios","cpu_cores_omitted","throttling_active","throttling_occurred"],
    "properties":{"interval_seconds":{"type":"integer"},"cpu_usage_ratio":{"type":["number","null"]},
    "cpu_busiest_usage_ratio":{"type":["number","null"]},"load1":{"type":["number","null"]},
    "memory_usage_ratio":{"type":["number","null"]},"temperature_celsius":{"type":["number","null"]},
    "disk_read_bytes_per_second":{"type":["integer","null"]},
    "disk_written_bytes_per_second":{"type":["integer","null"]},
    "network_receive_bytes_per_second":{"type":["integer","null"]},
    "network_transmit_bytes_per_second":{"type":["integer","null"]},
    "memory_used_bytes":{"type":["integer","null"]},"cpu_core_usage_ratios":{"type":"array","maxItems":16,
    "items":{"type":["number","null"]}},"cpu_cores_omitted":{"type":"integer"},
    "throttling_active":{"type":["array","null"],"maxItems":4,"items":{"enum":["under_voltage","frequency_capped",
    "throttled","soft_temperature_limit"]}},
    "throttling_occurred":{"type":["array","null"],"maxItems":4,"items":{"enum":["under_voltage","frequency_capped",
    "throttled","soft_temperature_limit"]}}}}}}},
    "Access":{"description":"Who asks, and when the token ends","content":{"application/json":{"schema":
    {"type":"object","required":["kind","name","scope","ends"],"properties":{"kind":{"enum":["account",
    "token"]},"name":{"type":"string"},"scope":{"enum":["read",null]},"ends":{"description":"Unix seconds",
    "type":["integer","null"]}}}}}},
    "Description":{"description":"This text","content":{"application/json":{"schema":
    {"type":"object"}}}},
    "Problem":{"description":"RFC 9457","content":{"application/problem+json":{"schema":
    {"type":"object","required":["title","status","detail"],"properties":{"title":{"type":"string"},
    "status":{"type":"integer"},"detail":{"type":"string"}}}}}}}}}

    """
  }
}

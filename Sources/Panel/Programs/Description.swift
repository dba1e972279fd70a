// What /api/v1 answers, in the words of OpenAPI 3.1. Tests/Wire/test_api.py holds every answer to it.

/// The description of the API.
enum Description {
  static var text: StaticString {
    """
    {"openapi":"3.1.0",
    "info":{"title":"martlet-panel","version":"1",
    "description":"What the pages of this device show. Sizes are in bytes, times in seconds of Unix."},
    "servers":[{"url":"/api/v1"}],
    "security":[{"token":[]},{"session":[]}],
    "paths":{
    "/system":{"get":{"operationId":"system","summary":"Name, kernel, clock, load",
    "responses":{"200":{"description":"The system","content":{"application/json":{"schema":
    {"$ref":"#/components/schemas/System"}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
    "/memory":{"get":{"operationId":"memory","summary":"Memory, and a container's limit",
    "responses":{"200":{"description":"The memory","content":{"application/json":{"schema":
    {"$ref":"#/components/schemas/Memory"}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
    "/disks":{"get":{"operationId":"disks","summary":"File systems, the most important first",
    "responses":{"200":{"description":"The file systems","content":{"application/json":{"schema":
    {"$ref":"#/components/schemas/Disks"}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
    "/interfaces":{"get":{"operationId":"interfaces","summary":"Network interfaces, the most important first",
    "responses":{"200":{"description":"The interfaces","content":{"application/json":{"schema":
    {"$ref":"#/components/schemas/Interfaces"}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
    "/temperature":{"get":{"operationId":"temperature","summary":"Temperature of the processor",
    "responses":{"200":{"description":"The temperature","content":{"application/json":{"schema":
    {"$ref":"#/components/schemas/Temperature"}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
    "/access":{"get":{"operationId":"access","summary":"Who asks, and when the token ends",
    "responses":{"200":{"description":"The access","content":{"application/json":{"schema":
    {"$ref":"#/components/schemas/Access"}}}},"default":{"$ref":"#/components/responses/Problem"}}}},
    "/openapi.json":{"get":{"operationId":"description","summary":"This description",
    "responses":{"200":{"description":"OpenAPI 3.1","content":{"application/json":{"schema":
    {"type":"object","required":["openapi","paths"]}}}},
    "default":{"$ref":"#/components/responses/Problem"}}}}},
    "components":{
    "securitySchemes":{"token":{"type":"http","scheme":"bearer",
    "description":"A token of the scope read, made on the page Tokens"},
    "session":{"type":"apiKey","in":"cookie","name":"martlet-8080",
    "description":"The cookie of a login, named for the panel's port"}},
    "responses":{"Problem":{"description":"Why there is no answer (RFC 9457)","content":
    {"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}}},
    "schemas":{
    "Text":{"type":["string","null"]},
    "Count":{"type":["integer","null"],"minimum":0},
    "Problem":{"type":"object","required":["title","status","detail"],"properties":{
    "title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string"}}},
    "System":{"type":"object","required":["hostname","model","kernel","panel_version","time","clock",
    "uptime_seconds","load","processors","processor_limit"],"properties":{
    "hostname":{"$ref":"#/components/schemas/Text"},"model":{"$ref":"#/components/schemas/Text"},
    "kernel":{"$ref":"#/components/schemas/Text"},"panel_version":{"type":"string"},
    "time":{"type":"integer"},"clock":{"enum":["synchronized","not_synchronized","not_set"]},
    "uptime_seconds":{"$ref":"#/components/schemas/Count"},
    "load":{"description":"Of 1, 5 and 15 minutes; empty where it is not known","type":"array",
    "items":{"type":["number","null"]},"maxItems":3},
    "processors":{"$ref":"#/components/schemas/Count"},
    "processor_limit":{"description":"Of a container","type":["number","null"]}}},
    "Memory":{"type":"object","required":["total_bytes","available_bytes","container"],"properties":{
    "total_bytes":{"$ref":"#/components/schemas/Count"},
    "available_bytes":{"$ref":"#/components/schemas/Count"},
    "container":{"type":["object","null"],"required":["limit_bytes","used_bytes"],"properties":{
    "limit_bytes":{"type":"integer"},"used_bytes":{"$ref":"#/components/schemas/Count"}}}}},
    "Disks":{"type":"object","required":["disks","omitted","overlays"],"properties":{
    "disks":{"type":"array","maxItems":8,"items":{"type":"object","required":["mount_point","device",
    "read_only","failed","total_bytes","used_bytes","available_bytes","used_percent","answers",
    "age_seconds"],"properties":{
    "mount_point":{"type":"string"},"device":{"type":"string"},"read_only":{"type":"boolean"},
    "failed":{"description":"Whether the kernel has made it read-only","type":"boolean"},
    "total_bytes":{"$ref":"#/components/schemas/Count"},"used_bytes":{"$ref":"#/components/schemas/Count"},
    "available_bytes":{"$ref":"#/components/schemas/Count"},
    "used_percent":{"type":["integer","null"],"minimum":0,"maximum":100},
    "answers":{"description":"Whether the device answers; if not, sizes are the last ones",
    "type":"boolean"},"age_seconds":{"$ref":"#/components/schemas/Count"}}}},
    "omitted":{"type":"integer"},"overlays":{"type":"integer"}}},
    "Interfaces":{"type":"object","required":["interfaces","omitted","addresses_omitted"],"properties":{
    "interfaces":{"type":"array","maxItems":10,"items":{"type":"object","required":["name","state",
    "addresses","addresses_omitted","received_bytes","sent_bytes"],"properties":{
    "name":{"type":"string"},"state":{"$ref":"#/components/schemas/Text"},
    "addresses":{"type":"array","maxItems":4,"items":{"type":"string"}},
    "addresses_omitted":{"type":"integer"},"received_bytes":{"type":"integer","minimum":0},
    "sent_bytes":{"type":"integer","minimum":0}}}},
    "omitted":{"type":"integer"},"addresses_omitted":{"type":"integer"}}},
    "Temperature":{"type":"object","required":["celsius","sensor","answers"],"properties":{
    "celsius":{"type":["number","null"]},"sensor":{"$ref":"#/components/schemas/Text"},
    "answers":{"type":"boolean"}}},
    "Access":{"type":"object","required":["kind","name","scope","ends"],"properties":{
    "kind":{"enum":["account","token"]},"name":{"type":"string"},
    "scope":{"enum":["read",null]},"ends":{"$ref":"#/components/schemas/Count"}}}}}}

    """
  }
}

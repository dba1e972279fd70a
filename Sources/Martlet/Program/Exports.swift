// The modules that a program sees with the one line `import Martlet`.

@_exported public import MartletBytes
@_exported public import MartletHTTP
@_exported public import MartletServer
@_exported public import MartletTLS
@_exported public import MartletToken

// swift-tools-version: 6.2
// The package from the ground up: what faces C, octets, protocols, the loop, the library, programs.
// Plain `swift build` and `swift test` compile everything in full Swift; `scripts/build` compiles
// the same sources in Embedded Swift without an allocator (the flags are in boards/sdk and scripts/build).
import PackageDescription

let swift: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  // Span stored in, or returned from, a ~Escapable type is spelled `@_lifetime` until Swift settles it.
  .enableExperimentalFeature("Lifetimes"),
  // `@_addressableSelf`: a span of a generic type's own storage needs it (FixedBuffer.swift).
  .enableExperimentalFeature("AddressableParameters"),
  // Large values are read in place: ByAddress.
  .enableExperimentalFeature("RawLayout"),
]
let c: [CSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
  name: "martlet",
  products: [
    .library(name: "Martlet", targets: ["Martlet"]),
    .library(name: "MartletTesting", targets: ["MartletTesting"]),
    .executable(name: "martlet-panel", targets: ["martlet-panel"]),
    .executable(name: "login-example", targets: ["login-example"]),
    .executable(name: "hello-example", targets: ["hello-example"]),
    .executable(name: "https-example", targets: ["https-example"]),
    .executable(name: "pieces-example", targets: ["pieces-example"]),
    .executable(name: "rest-example", targets: ["rest-example"]),
    .executable(name: "sensors-example", targets: ["sensors-example"]),
    .executable(name: "settings-example", targets: ["settings-example"]),
    .executable(name: "auth-example", targets: ["auth-example"]),
    .executable(name: "sessions-example", targets: ["sessions-example"]),
    .executable(name: "subapps-example", targets: ["subapps-example"]),
    .executable(name: "sse-example", targets: ["sse-example"]),
    .executable(name: "cors-example", targets: ["cors-example"]),
    .executable(name: "csrf-example", targets: ["csrf-example"]),
    .executable(name: "uploads-example", targets: ["uploads-example"]),
    .executable(name: "static-example", targets: ["static-example"]),
    .executable(name: "streaming-example", targets: ["streaming-example"]),
    .executable(name: "commands-example", targets: ["commands-example"]),
    .executable(name: "gpio-example", targets: ["gpio-example"]),
    .executable(name: "templates-example", targets: ["templates-example"]),
    .plugin(name: "MartletPlugin", targets: ["MartletPlugin"]),
  ],
  targets: [
    // Layer 0: C. System calls behind plain functions; mbedTLS's SHA-256 behind one shim.
    .target(name: "CMartletPlatform", cSettings: c),
    .systemLibrary(name: "CMbedTLS", providers: [.apt(["libmbedtls-dev"])]),

    // Layer 1: fixed buffers, octet classes, encodings, JSON, limits.
    .target(name: "MartletBytes", dependencies: ["CMartletPlatform"], swiftSettings: swift),

    // Layer 2: octets to values and back; no sockets, no clocks. The two do not know each other.
    .target(name: "MartletHTTP", dependencies: ["MartletBytes"], swiftSettings: swift),
    .target(
      name: "MartletToken", dependencies: ["MartletBytes", "CMbedTLS", "CMartletPlatform"],
      swiftSettings: swift,
      // Bare-metal triples are linked without autolinking, so the module map's `link` is not enough.
      linkerSettings: [.linkedLibrary("mbedcrypto")]),

    // Layer 3: connections and the poll() loop.
    .target(
      name: "MartletServer", dependencies: ["MartletBytes", "MartletHTTP", "CMartletPlatform"],
      swiftSettings: swift),

    // TLS: mbedTLS behind one shim; connections that are encrypted; certificates.
    .target(
      name: "CMartletTLS", dependencies: ["CMartletPlatform"], cSettings: c,
      linkerSettings: [.linkedLibrary("mbedtls"), .linkedLibrary("mbedx509"), .linkedLibrary("mbedcrypto")]),
    .target(
      name: "MartletTLS",
      dependencies: ["MartletBytes", "MartletToken", "MartletServer", "CMartletTLS", "CMartletPlatform"],
      swiftSettings: swift),

    // Layer 4: what programs import.
    .target(
      name: "Martlet",
      dependencies: [
        "MartletBytes", "MartletHTTP", "MartletToken", "MartletServer", "MartletTLS", "CMartletPlatform",
      ],
      swiftSettings: swift),
    .target(
      name: "MartletTesting",
      dependencies: ["Martlet", "MartletBytes", "MartletHTTP", "MartletServer", "CMartletPlatform"],
      swiftSettings: swift),

    // What runs on the host during a build: files of a target → Swift.
    .executableTarget(name: "MartletCompile", swiftSettings: swift),
    .plugin(
      name: "MartletPlugin", capability: .buildTool(), dependencies: ["MartletCompile"],
      path: "Sources/MartletPlugin"),

    // Layer 5: programs.
    .executableTarget(
      name: "martlet-panel", dependencies: ["Martlet", "CMartletPlatform"], path: "Sources/Panel",
      swiftSettings: swift, plugins: ["MartletPlugin"]),
    .executableTarget(
      name: "login-example", dependencies: ["Martlet"], path: "Sources/LoginExample",
      swiftSettings: swift),
    .executableTarget(
      name: "hello-example", dependencies: ["Martlet"], path: "Sources/HelloExample",
      swiftSettings: swift),
    .executableTarget(
      name: "https-example", dependencies: ["Martlet"], path: "Sources/HttpsExample",
      swiftSettings: swift),
    .executableTarget(
      name: "pieces-example", dependencies: ["Martlet"], path: "Sources/PiecesExample",
      swiftSettings: swift),
    .executableTarget(
      name: "rest-example", dependencies: ["Martlet"], path: "Sources/RestExample",
      swiftSettings: swift),
    .executableTarget(
      name: "sensors-example", dependencies: ["Martlet"], path: "Sources/SensorsExample",
      swiftSettings: swift),
    .executableTarget(
      name: "settings-example", dependencies: ["Martlet"], path: "Sources/SettingsExample",
      swiftSettings: swift),
    .executableTarget(
      name: "auth-example", dependencies: ["Martlet"], path: "Sources/AuthExample",
      swiftSettings: swift),
    .executableTarget(
      name: "sessions-example", dependencies: ["Martlet"], path: "Sources/SessionsExample",
      swiftSettings: swift),
    .executableTarget(
      name: "subapps-example", dependencies: ["Martlet"], path: "Sources/SubappsExample",
      swiftSettings: swift),
    .executableTarget(
      name: "sse-example", dependencies: ["Martlet"], path: "Sources/SseExample",
      swiftSettings: swift),
    .executableTarget(
      name: "cors-example", dependencies: ["Martlet"], path: "Sources/CorsExample",
      swiftSettings: swift),
    .executableTarget(
      name: "csrf-example", dependencies: ["Martlet"], path: "Sources/CsrfExample",
      swiftSettings: swift),
    .executableTarget(
      name: "uploads-example", dependencies: ["Martlet"], path: "Sources/UploadsExample",
      swiftSettings: swift),
    .executableTarget(
      name: "static-example", dependencies: ["Martlet"], path: "Sources/StaticExample", exclude: ["www"],
      swiftSettings: swift),
    .executableTarget(
      name: "streaming-example", dependencies: ["Martlet"], path: "Sources/StreamingExample",
      swiftSettings: swift),
    .executableTarget(
      name: "commands-example", dependencies: ["Martlet"], path: "Sources/CommandsExample",
      swiftSettings: swift),
    .executableTarget(
      name: "gpio-example", dependencies: ["Martlet"], path: "Sources/GpioExample",
      swiftSettings: swift),
    .executableTarget(
      name: "templates-example", dependencies: ["Martlet"], path: "Sources/TemplatesExample",
      swiftSettings: swift, plugins: ["MartletPlugin"]),

    // How many tokens a second; `scripts/bench` builds and runs it.
    .executableTarget(
      name: "token-bench", dependencies: ["Martlet", "CMartletPlatform"],
      path: "Tests/Bench/TokenBench", swiftSettings: swift),

    // Files over TLS; `scripts/bench` builds and runs it.
    .executableTarget(
      name: "tls-bench", dependencies: ["Martlet"], path: "Tests/Bench/TLSBench", swiftSettings: swift),

    // Uploads over TLS, for the black-box tests; `scripts/build --examples` builds it.
    .executableTarget(
      name: "tls-uploads", dependencies: ["Martlet"], path: "Tests/Wire/TLSUploads", swiftSettings: swift),

    // Tests, in full Swift on the host. The black-box tests of the embedded programs are in Tests/Wire.
    .target(name: "TestSupport", dependencies: ["MartletBytes"], path: "Tests/TestSupport"),
    .testTarget(name: "MartletBytesTests", dependencies: ["MartletBytes", "TestSupport"]),
    .testTarget(name: "MartletHTTPTests", dependencies: ["MartletHTTP", "MartletBytes", "TestSupport"]),
    .testTarget(name: "MartletTokenTests", dependencies: ["MartletToken", "MartletBytes", "TestSupport"]),
    .testTarget(
      name: "MartletServerTests",
      dependencies: [
        "MartletServer", "MartletHTTP", "MartletBytes", "CMartletPlatform", "TestSupport",
      ]),
    .testTarget(
      name: "MartletTLSTests",
      dependencies: [
        "MartletTLS", "MartletToken", "MartletBytes", "CMartletTLS", "CMartletPlatform", "TestSupport",
      ]),
    // A client of TLS in the same process, for tests of the shim.
    .target(
      name: "CTLSClient", path: "Tests/CTLSClient", cSettings: c,
      linkerSettings: [.linkedLibrary("mbedtls"), .linkedLibrary("mbedx509"), .linkedLibrary("mbedcrypto")]),
    .testTarget(name: "CMartletTLSTests", dependencies: ["CMartletTLS", "CTLSClient", "TestSupport"]),
    .testTarget(name: "MartletTests", dependencies: ["Martlet", "MartletTesting", "TestSupport"]),
    // What scripts/fuzz links with libFuzzer; the tests drive the corpora through it.
    .target(
      name: "Fuzz",
      dependencies: [
        "Martlet", "MartletTLS", "MartletServer", "MartletToken", "MartletHTTP", "MartletBytes",
        "CMartletPlatform",
      ],
      path: "Tests/Fuzz", exclude: ["corpus", "dictionaries", "seeds.py"],
      swiftSettings: [.treatAllWarnings(as: .error)]),
    .testTarget(
      name: "FuzzTests", dependencies: ["Fuzz", "MartletHTTP", "MartletBytes", "TestSupport"]),
    .testTarget(
      name: "MartletCompileTests",
      dependencies: ["MartletCompile", "MartletHTTP", "MartletBytes", "TestSupport"]),
    // A target with files and templates of its own, which the plugin compiles.
    .target(
      name: "AssetSite", dependencies: ["Martlet"], path: "Tests/AssetSite", swiftSettings: swift,
      plugins: ["MartletPlugin"]),
    .testTarget(name: "AssetTests", dependencies: ["AssetSite", "Martlet", "MartletTesting", "TestSupport"]),
    .testTarget(
      name: "PanelTests",
      dependencies: ["martlet-panel", "CMartletPlatform", "MartletTesting", "TestSupport"]),
    // System calls that fail on purpose: CFaults defines libc's functions anew, for all tests; only
    // threads that ask for it notice. Tests/Faults uses the same source under whole programs.
    .target(name: "CFaults", path: "Tests/CFaults", cSettings: c),
    .testTarget(
      name: "FaultTests",
      dependencies: [
        "CFaults", "martlet-panel", "MartletServer", "MartletHTTP", "MartletBytes",
        "CMartletPlatform", "TestSupport",
      ]),
  ]
)

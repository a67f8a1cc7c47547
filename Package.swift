// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

// Tests are not what is measured: optimizing them all would take longer than all the rest. Those without a
// server are, with what is inlined into them (scripts/test-optimized).
let tests = strict + [.unsafeFlags(["-Onone"], .when(configuration: .release))]

let package = Package(
  name: "PGKit",
  products: [
    .library(name: "PGKit", targets: ["PGKit"]),
    .library(name: "PGErrorCodes", targets: ["PGErrorCodes"]),
    .library(name: "PGKitFoundation", targets: ["PGKitFoundation"]),
    .library(name: "PGKitLogging", targets: ["PGKitLogging"]),
    .library(name: "PGKitServices", targets: ["PGKitServices"]),
    .executable(name: "pg-open", targets: ["pg-open"]),
    .executable(name: "pg-copy", targets: ["pg-copy"]),
    .executable(name: "pg-cluster", targets: ["pg-cluster"]),
    .executable(name: "pg-errcode", targets: ["pg-errcode"]),
    .executable(name: "pg-listen", targets: ["pg-listen"]),
  ],
  traits: [
    .trait(
      name: "Services",
      description: "Fill PGKitServices: spans, metrics, and the pool as a service.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
    // Fetched only where the trait is on.
    .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.7.3"),
    .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
  ],
  targets: [
    // The library: one module, so that nothing on the path from DataRow to Int crosses a boundary.
    // OpenSSL is not linked but loaded on first use (Sources/COpenSSL/OpenSSL.c).
    .target(name: "COpenSSL"),
    .target(name: "PGErrorCodes", swiftSettings: strict),
    // Texts as JSON, for values in the library and for what the programs say.
    .target(name: "PGJSONText", swiftSettings: strict),
    // What must happen between fork and exec, where Swift cannot run.
    .target(name: "CSpawn"),
    .target(
      name: "PGKit", dependencies: ["COpenSSL", "CSpawn", "PGErrorCodes", "PGJSONText"],
      swiftSettings: strict),
    // Bridges to Date, UUID, Data and Decimal, apart so that PGKit needs no Foundation.
    .target(name: "PGKitFoundation", dependencies: ["PGKit"], swiftSettings: strict),
    // What connections do, as a log of swift-log, apart so that PGKit and the programs need none.
    .target(
      name: "PGKitLogging",
      dependencies: ["PGKit", .product(name: "Logging", package: "swift-log")],
      swiftSettings: strict),
    // What connections and pools do, as spans and metrics, and the pool as a service: empty unless the
    // trait is on. Its tests are a package of their own, Tests/Services.
    .target(
      name: "PGKitServices",
      dependencies: [
        "PGKit",
        .product(
          name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: ["Services"])),
        .product(
          name: "ServiceLifecycle", package: "swift-service-lifecycle",
          condition: .when(traits: ["Services"])),
        .product(
          name: "Tracing", package: "swift-distributed-tracing",
          condition: .when(traits: ["Services"])),
      ],
      swiftSettings: strict),

    // The porch: what the five programs share, and the programs.
    .target(name: "CCommit"),
    .target(
      name: "PGCommandLine",
      dependencies: [
        "CCommit", "PGErrorCodes", "PGJSONText",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .target(
      name: "PGConnecting",
      dependencies: [
        "PGKit", "PGCommandLine",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "pg-open", dependencies: ["PGKit", "PGCommandLine", "PGConnecting"],
      swiftSettings: strict),
    .executableTarget(
      name: "pg-copy", dependencies: ["PGKit", "PGCommandLine", "PGConnecting"],
      swiftSettings: strict),
    .executableTarget(
      name: "pg-cluster", dependencies: ["PGKit", "PGCommandLine", "PGConnecting"],
      swiftSettings: strict),
    .executableTarget(
      name: "pg-errcode", dependencies: ["PGErrorCodes", "PGCommandLine"], swiftSettings: strict),
    .executableTarget(
      name: "pg-listen", dependencies: ["PGKit", "PGCommandLine", "PGConnecting"],
      swiftSettings: strict),

    // Tests: pure ones, ones that start their own cluster, and ones that run the built programs.
    .testTarget(
      name: "PGErrorCodesTests", dependencies: ["PGErrorCodes"], exclude: ["Vectors"],
      swiftSettings: tests),
    .testTarget(
      name: "PGJSONTextTests", dependencies: ["PGJSONText"], swiftSettings: tests),
    .testTarget(
      name: "PGCommandLineTests", dependencies: ["PGCommandLine", "PGErrorCodes"],
      swiftSettings: tests),
    .target(
      name: "PGTestCluster", dependencies: ["PGKit"], path: "Tests/PGTestCluster",
      swiftSettings: tests),
    .testTarget(
      name: "PGConnectingTests",
      dependencies: [
        "pg-copy", "pg-open", "PGConnecting", "PGCommandLine", "PGErrorCodes", "PGKit",
        "PGTestCluster",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: tests),
    .target(name: "CAllocationCount", path: "Tests/CAllocationCount"),
    .testTarget(
      name: "PGKitTests",
      dependencies: ["PGKit", "COpenSSL", "CAllocationCount", "PGTestCluster"],
      exclude: ["Vectors", "Session/Transcripts"], swiftSettings: strict),
    .testTarget(
      name: "PGKitServerTests", dependencies: ["PGKit", "PGTestCluster"], swiftSettings: tests),
    .testTarget(
      name: "CommandTests", dependencies: ["PGKit", "PGErrorCodes", "PGTestCluster"],
      swiftSettings: tests),
    .testTarget(
      name: "PGKitLoggingTests",
      dependencies: [
        "PGKit", "PGKitLogging", "PGTestCluster",
        .product(name: "InMemoryLogging", package: "swift-log"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: tests),
    .testTarget(
      name: "PGKitFoundationTests", dependencies: ["PGKit", "PGKitFoundation"],
      swiftSettings: tests),
  ]
)

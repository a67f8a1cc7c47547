// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
  name: "PGKit",
  products: [
    .library(name: "PGKit", targets: ["PGKit"]),
    .library(name: "PGErrorCodes", targets: ["PGErrorCodes"]),
    .executable(name: "pg-open", targets: ["pg-open"]),
    .executable(name: "pg-copy", targets: ["pg-copy"]),
    .executable(name: "pg-cluster", targets: ["pg-cluster"]),
    .executable(name: "pg-errcode", targets: ["pg-errcode"]),
    .executable(name: "pg-listen", targets: ["pg-listen"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2")
  ],
  targets: [
    // The library: one module, so that nothing on the path from DataRow to Int crosses a boundary.
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .target(name: "PGErrorCodes", swiftSettings: strict),
    // Between fork and exec only C is safe: this is all that PGKit needs to do there.
    .target(name: "CSpawn"),
    .target(
      name: "PGKit", dependencies: ["COpenSSL", "CSpawn", "PGErrorCodes"], swiftSettings: strict),

    // The porch: what the five programs share, and the programs.
    .target(
      name: "PGCommandLine",
      dependencies: [
        "PGErrorCodes", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "pg-open", dependencies: ["PGKit", "PGCommandLine"], swiftSettings: strict),
    .executableTarget(
      name: "pg-copy", dependencies: ["PGKit", "PGCommandLine"], swiftSettings: strict),
    .executableTarget(
      name: "pg-cluster", dependencies: ["PGKit", "PGCommandLine"], swiftSettings: strict),
    .executableTarget(
      name: "pg-errcode", dependencies: ["PGErrorCodes", "PGCommandLine"], swiftSettings: strict),
    .executableTarget(
      name: "pg-listen", dependencies: ["PGKit", "PGCommandLine"], swiftSettings: strict),

    // Tests: pure ones, ones that start their own cluster, and ones that run the built programs.
    .testTarget(
      name: "PGErrorCodesTests", dependencies: ["PGErrorCodes"], swiftSettings: strict),
    .testTarget(
      name: "PGKitTests", dependencies: ["PGKit"], exclude: ["Session/Transcripts"],
      swiftSettings: strict),
    .testTarget(name: "PGKitServerTests", dependencies: ["PGKit"], swiftSettings: strict),
    .testTarget(
      name: "CommandTests", dependencies: ["PGKit", "PGErrorCodes"], swiftSettings: strict),
  ]
)

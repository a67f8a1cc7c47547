// swift-tools-version: 6.2
import PackageDescription

// What PGKit has behind its trait, as a package sees it that turns the trait on
// (scripts/test-services). Beside the tests of PGKit itself, so that they need none of these packages.

let package = Package(
  name: "PGKitServicesTests",
  dependencies: [
    .package(name: "PGKit", path: "../..", traits: ["Services"]),
    .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.7.3"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
  ],
  targets: [
    .testTarget(
      name: "PGKitServicesTests",
      dependencies: [
        .product(name: "PGKit", package: "PGKit"),
        .product(name: "PGKitServices", package: "PGKit"),
        .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "MetricsTestKit", package: "swift-metrics"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
      ],
      swiftSettings: [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")])
  ]
)

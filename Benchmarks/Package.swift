// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that whoever depends on PGKit resolves and builds nothing of it.
let package = Package(
  name: "PGKitBenchmarks",
  dependencies: [
    .package(name: "PGKit", path: ".."),
    // No traits: each fetches one more package, to count allocations, or retains and releases. PGKit's tests
    // count allocations themselves.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    // What compare.py times beside the other drivers: the library at work on a real server.
    .executableTarget(
      name: "pgkit-work", dependencies: [.product(name: "PGKit", package: "PGKit")],
      swiftSettings: [.swiftLanguageMode(.v6)]),
    // The parts that need no server. The plugin finds it by the directory's name.
    .executableTarget(
      name: "PureParts",
      dependencies: [
        .product(name: "Benchmark", package: "benchmark"),
        .product(name: "PGKit", package: "PGKit"),
      ],
      path: "Benchmarks/PureParts",
      swiftSettings: [.swiftLanguageMode(.v6)],
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
  ]
)

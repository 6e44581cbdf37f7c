// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

// Products of external packages.
let asyncAlgorithms: Target.Dependency = .product(
  name: "AsyncAlgorithms", package: "swift-async-algorithms")
let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let configuration: Target.Dependency = .product(
  name: "Configuration", package: "swift-configuration")
let lifecycle: Target.Dependency = .product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let metricsTestKit: Target.Dependency = .product(
  name: "MetricsTestKit", package: "swift-metrics")
let concurrencyHelpers: Target.Dependency = .product(
  name: "NIOConcurrencyHelpers", package: "swift-nio")
let embedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nio: [Target.Dependency] = ["NIOCore", "NIOConcurrencyHelpers", "NIOHTTP1", "NIOPosix"].map {
  .product(name: $0, package: "swift-nio")
}
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let protobufPluginLibrary: Target.Dependency = .product(
  name: "SwiftProtobufPluginLibrary", package: "swift-protobuf")
let tracing: [Target.Dependency] = ["Instrumentation", "Tracing"].map {
  .product(name: $0, package: "swift-distributed-tracing")
}
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let hummingbird: [Target.Dependency] =
  ["Hummingbird", "HummingbirdCore"].map {
    .product(name: $0, package: "hummingbird")
  } + [.product(name: "HTTPTypes", package: "swift-http-types")]
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let unixSignals: Target.Dependency = .product(
  name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
  name: "mockupd",
  products: [
    .library(name: "MockupClient", targets: ["MockupClient"]),
    .library(name: "TTRPC", targets: ["TTRPC"]),
    .library(name: "GRPC", targets: ["GRPC"]),
    .library(name: "TTRPCServices", targets: ["TTRPCServices"]),
    .executable(name: "mockupd", targets: ["mockupd"]),
    .executable(name: "mockupctl", targets: ["mockupctl"]),
    .executable(name: "mockup-console", targets: ["mockup-console"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.4"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // C libraries, and C sources of this package.
    .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(
      name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CLinux"),
    .target(name: "CTTRPCMessages", dependencies: ["CProtobufC"]),
    .target(name: "CTTRPCServicesMessages", dependencies: ["CProtobufC"]),
    .target(name: "CMockupMessages", dependencies: ["CProtobufC"]),

    // Protocols and database access, independent of the domain.
    .module("ProtobufC", ["CProtobufC"]),
    .module("TTRPC", ["CLinux", "CTTRPCMessages", "ProtobufC", logging, metrics] + nio + tracing),
    .module("GRPC", ["CNghttp2", "CZlib", "ProtobufC", "TTRPC", logging] + nio),
    .module(
      "TTRPCServices",
      ["CTTRPCServicesMessages", "ProtobufC", "TTRPC"] + nio),
    .module("Postgres", ["CLibPQ", "CLinux", concurrencyHelpers]),
    .module("Systemd", []),

    // Output to terminals and logs.
    .module("VisibleText", []),
    .module("StandardStreams", ["VisibleText", argumentParser, concurrencyHelpers]),

    // Time-ordered IDs.
    .module("TimeOrderedID", []),

    // The version of the programs.
    .module("MockupVersion", []),

    // Metrics.
    .module("Prometheus", [concurrencyHelpers, metrics]),

    // The domain: credits, mockups and scenes.
    .module("MockupCore", []),
    .module(
      "MockupSchema", ["Postgres"],
      resources: [
        .embedInCode("SQL/Migrations"), .embedInCode("SQL/Functions"),
        .embedInCode("SQL/Partitions"),
      ]),
    .module(
      "MockupDatabase",
      ["MockupCore", "MockupSchema", "Postgres", "TimeOrderedID", concurrencyHelpers],
      resources: [.embedInCode("SQL/Queries")]),
    .module("MockupAPI", ["CMockupMessages", "ProtobufC", "TTRPC"]),
    .module(
      "MockupServices",
      [
        "MockupAPI", "MockupDatabase", "MockupCore", "Postgres", "ProtobufC", "TTRPC", logging,
        concurrencyHelpers,
      ]),
    .module("MockupClient", ["MockupAPI", "TTRPC", "TimeOrderedID", asyncAlgorithms]),

    .module(
      "MockupPages", ["MockupClient", "MockupVersion", "VisibleText", mustache],
      resources: [.embedInCode("Templates")]),

    // The programs.
    .executableTarget(
      name: "mockupd",
      dependencies: [
        "CLinux", "GRPC", "MockupAPI", "MockupCore", "MockupSchema", "MockupServices",
        "MockupDatabase", "MockupVersion", "Postgres", "Prometheus", "StandardStreams", "Systemd",
        "TTRPC",
        "TTRPCServices", "VisibleText",
        argumentParser, configuration, concurrencyHelpers, lifecycle, logging, metrics,
        systemPackage, unixSignals,
      ] + tracing,
      swiftSettings: settings),
    .executableTarget(
      name: "mockupctl",
      dependencies: [
        "MockupClient", "MockupPages", "MockupVersion", "StandardStreams", "TTRPC",
        "TTRPCServices", "TimeOrderedID", "VisibleText", argumentParser,
      ],
      swiftSettings: settings),

    .executableTarget(
      name: "mockup-console",
      dependencies: [
        "MockupClient", "MockupPages", "MockupVersion", "StandardStreams", "TTRPC", "VisibleText",
        argumentParser, concurrencyHelpers, lifecycle, logging, unixSignals,
        .product(name: "NIOCore", package: "swift-nio"),
      ] + hummingbird,
      swiftSettings: settings),

    // Generates C structs and Swift values from the .proto files; run by scripts/generate.
    .executableTarget(
      name: "generator", dependencies: [protobuf, protobufPluginLibrary],
      path: "scripts/generator", swiftSettings: settings),

    // The tests.
    .target(
      name: "CProtobufCTestMessages", dependencies: ["CProtobufC"],
      path: "Tests/Support/CProtobufCTestMessages"),
    .target(
      name: "CTTRPCConformanceMessages", dependencies: ["CProtobufC"],
      path: "Tests/Support/CTTRPCConformanceMessages"),
    .module(
      "TestSupport",
      ["MockupSchema", "MockupDatabase", "MockupCore", "Postgres", concurrencyHelpers, embedded],
      path: "Tests/Support/TestSupport"),
    .tests("ProtobufCTests", ["CProtobufCTestMessages", "ProtobufC"], exclude: ["Messages"]),
    .tests(
      "TTRPCTests",
      [
        "CNghttp2", "CTTRPCMessages", "CZlib", "GRPC", "ProtobufC", "TTRPC", "TestSupport",
        logging, metrics, metricsTestKit,
      ] + nio + tracing),
    .tests(
      "TTRPCConformanceTests",
      [
        "CTTRPCConformanceMessages", "GRPC", "ProtobufC", "TTRPC", "TestSupport",
        concurrencyHelpers, logging,
      ],
      exclude: ["GRPC/python", "Proto"]),
    .tests(
      "TTRPCServicesTests",
      ["ProtobufC", "TTRPC", "TTRPCServices", "TestSupport", logging, protobuf]),
    .tests("GeneratorTests", ["generator", protobuf, protobufPluginLibrary]),
    .tests("TimeOrderedIDTests", ["TimeOrderedID"]),
    .tests("PrometheusTests", ["Prometheus", metrics]),
    .tests("PostgresTests", ["Postgres", "TestSupport"]),
    .tests("SystemdTests", ["Systemd", "TestSupport"]),
    .tests("MockupCoreTests", ["MockupCore"]),
    .tests(
      "MockupDatabaseTests",
      ["MockupSchema", "MockupDatabase", "MockupCore", "Postgres", "TestSupport"]),
    .tests(
      "MockupServicesTests",
      ["MockupAPI", "MockupServices", "MockupDatabase", "MockupCore", "Postgres", "TTRPC"]),
    .tests("StandardStreamsTests", ["StandardStreams", "TestSupport", "VisibleText"]),
    .tests(
      "MockupctlTests",
      [
        "MockupClient", "StandardStreams", "TTRPC", "mockupctl", argumentParser,
      ]),
    .tests("MockupPagesTests", ["MockupClient", "MockupPages"]),
    .tests("MockupConsoleTests", ["MockupClient", "mockup-console"]),
    .tests(
      "EndToEndTests",
      [
        "CLinux", "MockupAPI", "MockupClient", "MockupCore", "MockupDatabase", "MockupSchema",
        "MockupServices", "MockupVersion", "Postgres", "ProtobufC", "TTRPC", "TTRPCServices",
        "TestSupport",
        "Worker", "mockup-console", "mockupctl",
        "mockupd", logging,
      ]),
    .executableTarget(
      name: "Worker", dependencies: ["MockupClient"], path: "Tests/Support/Worker",
      swiftSettings: settings),
    .executableTarget(
      name: "InteropClient", dependencies: ["MockupAPI", "ProtobufC", "TTRPC"],
      path: "Tests/Harnesses/Interop/swift/client", swiftSettings: settings),
    .executableTarget(
      name: "InteropSample", dependencies: ["MockupClient"],
      path: "Tests/Harnesses/Interop/swift/sample", swiftSettings: settings),
  ]
)

// `swift build` builds one product or all. With this variable, all are the two programs and the
// libraries; scripts/environment sets it.
if Context.environment["MOCKUPD_PROGRAMS_ONLY"] != nil {
  package.targets.removeAll { target in
    target.type == .test || target.path?.hasPrefix("Tests/") == true || target.name == "generator"
  }
  package.dependencies.removeAll { dependency in
    if case .sourceControl(_, let location, _) = dependency.kind {
      location.hasSuffix("/swift-protobuf")
    } else {
      false
    }
  }
}

extension Target {
  static func module(
    _ name: String, _ dependencies: [Dependency], path: String? = nil, resources: [Resource]? = nil
  ) -> Target {
    .target(
      name: name, dependencies: dependencies, path: path, resources: resources,
      swiftSettings: settings)
  }

  static func tests(
    _ name: String, _ dependencies: [Dependency], exclude: [String] = []
  ) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
  }
}

// swift-tools-version: 6.2

// TTRPC and its tests alone, through symbolic links, so that ThreadSanitizer does not have to build
// the whole project. scripts/test-sanitized thread runs them.

import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .strictMemorySafety(),
]

let libraries: [Target.Dependency] = [
  .product(name: "CoreMetrics", package: "swift-metrics"),
  .product(name: "Instrumentation", package: "swift-distributed-tracing"),
  .product(name: "Logging", package: "swift-log"),
  .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
  .product(name: "NIOCore", package: "swift-nio"),
  .product(name: "NIOHTTP1", package: "swift-nio"),
  .product(name: "NIOPosix", package: "swift-nio"),
  .product(name: "Tracing", package: "swift-distributed-tracing"),
]

let package = Package(
  name: "thread-sanitized",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2"),
    .systemLibrary(name: "CProtobufC", pkgConfig: "libprotobuf-c"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
    .target(name: "CLinux"),
    .target(name: "CTTRPCMessages", dependencies: ["CProtobufC"]),
    .target(name: "ProtobufC", dependencies: ["CProtobufC"], swiftSettings: settings),
    .target(
      name: "TTRPC", dependencies: ["CLinux", "CTTRPCMessages", "ProtobufC"] + libraries,
      swiftSettings: settings),
    .target(
      name: "GRPC", dependencies: ["CNghttp2", "CZlib", "ProtobufC", "TTRPC"] + libraries,
      swiftSettings: settings),
    // The files that need no database.
    .target(
      name: "TestSupport",
      dependencies: [.product(name: "NIOEmbedded", package: "swift-nio")],
      path: "Tests/TestSupport",
      sources: [
        "Eventually.swift", "Flag.swift", "ManualTime.swift", "RawListener.swift",
        "RawPeer.swift", "SeededGenerator.swift", "TemporaryFolder.swift",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "TTRPCTests",
      dependencies: [
        "CNghttp2", "CTTRPCMessages", "CZlib", "GRPC", "ProtobufC", "TTRPC", "TestSupport",
        .product(name: "MetricsTestKit", package: "swift-metrics"),
      ] + libraries,
      swiftSettings: settings),
  ]
)

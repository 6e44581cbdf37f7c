// swift-tools-version: 6.2

// The sources of ProtobufC and TTRPC by symbolic links, compiled for libFuzzer, and the program
// that it drives. scripts/fuzz builds and runs it.

import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .strictMemorySafety(),
]

// For the fuzzed modules: libFuzzer observes every branch that is taken in them.
let observed: [SwiftSetting] = settings + [.unsafeFlags(["-sanitize=fuzzer"])]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let nio: [Target.Dependency] = ["NIOCore", "NIOConcurrencyHelpers", "NIOHTTP1", "NIOPosix"].map {
  .product(name: $0, package: "swift-nio")
}
let embedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let tracing: [Target.Dependency] = ["Instrumentation", "Tracing"].map {
  .product(name: $0, package: "swift-distributed-tracing")
}

let package = Package(
  name: "fuzzing",
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
    .target(name: "CProtobufCTestMessages", dependencies: ["CProtobufC"]),
    .target(name: "ProtobufC", dependencies: ["CProtobufC"], swiftSettings: observed),
    .target(
      name: "TTRPC",
      dependencies: ["CLinux", "CTTRPCMessages", "ProtobufC", logging, metrics] + nio + tracing,
      swiftSettings: observed),
    .target(
      name: "GRPC", dependencies: ["CNghttp2", "CZlib", "ProtobufC", "TTRPC", logging] + nio,
      swiftSettings: observed),
    .target(name: "CFuzzing"),
    .executableTarget(
      name: "Fuzzing",
      dependencies: [
        "CFuzzing", "CNghttp2", "CProtobufCTestMessages", "CTTRPCMessages", "GRPC", "ProtobufC",
        "TTRPC", embedded, logging,
      ] + nio,
      swiftSettings: settings,
      linkerSettings: [.linkedLibrary("stdc++")]),
  ]
)

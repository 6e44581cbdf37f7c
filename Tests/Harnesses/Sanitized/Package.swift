// swift-tools-version: 6.2

// ProtobufC and its tests alone, through symbolic links, so that AddressSanitizer does not have to
// build the whole project. scripts/test-sanitized runs them.

import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .strictMemorySafety(),
]

let package = Package(
  name: "sanitized",
  platforms: [.macOS(.v15)],
  targets: [
    .systemLibrary(name: "CProtobufC", pkgConfig: "libprotobuf-c"),
    .target(name: "ProtobufC", dependencies: ["CProtobufC"], swiftSettings: settings),
    .target(
      name: "CProtobufCTestMessages",
      dependencies: ["CProtobufC"],
      path: "Tests/CProtobufCTestMessages"
    ),
    .testTarget(
      name: "ProtobufCTests",
      dependencies: ["ProtobufC", "CProtobufCTestMessages"],
      exclude: ["Messages"],
      swiftSettings: settings
    ),
  ]
)

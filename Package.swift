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


let package = Package(
  name: "mockupd",
  targets: [
    // What C lends us.
    .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
    .target(name: "CLinux"),
    .target(name: "CTTRPCMessages", dependencies: ["CProtobufC"]),

    // The wire, and the way to the database. Neither has heard of a mockup.
    .module("ProtobufC", ["CProtobufC"]),
    .module("Postgres", ["CLibPQ", "CLinux"]),



    // The tests.
    .target(
      name: "CProtobufCTestMessages", dependencies: ["CProtobufC"],
      path: "Tests/CProtobufCTestMessages"),
    .tests("ProtobufCTests", ["CProtobufCTestMessages", "ProtobufC"], exclude: ["Messages"]),
    .tests("PostgresTests", ["Postgres"]),
  ]
)

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

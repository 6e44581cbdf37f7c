// swift-tools-version: 6.2

// Peers that misbehave, and a client that measures what becomes of it beside them. A package of its own,
// so that building the project does not build it. Run by scripts/hostile.

import PackageDescription

let package = Package(
  name: "hostile",
  dependencies: [.package(name: "mockupd", path: "../..")],
  targets: [
    .executableTarget(
      name: "hostile",
      dependencies: [
        .product(name: "MockupClient", package: "mockupd"),
        .product(name: "TTRPCServices", package: "mockupd"),
      ],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
      ])
  ]
)

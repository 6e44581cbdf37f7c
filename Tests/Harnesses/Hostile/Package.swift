// swift-tools-version: 6.2

// Misbehaving peers, and a well-behaved client that measures their effect on it. A separate
// package, so that it is not built with the project. scripts/hostile runs it.

import PackageDescription

let package = Package(
  name: "hostile",
  dependencies: [.package(name: "mockupd", path: "../../..")],
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

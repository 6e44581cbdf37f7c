internal import Foundation
internal import Glibc

/// All kinds of misbehaving peers that speak gRPC at the same time, until the process is killed.
///
/// Each second it prints a line with the events so far.
struct GRPCAttack {
  let path: String
  private let report = Report()

  init(path: String) {
    self.path = path
  }

  /// A kind of peers that send little and then wait.
  private struct Group: Sendable {
    let name: String
    let count: Int
    /// The bytes that a peer sends when it has connected.
    let begin: @Sendable () -> [UInt8]
  }

  private static let method = "/mockups.v1.CreditService/" + String(repeating: "x", count: 4096)

  /// The first streams of a client.
  private static func streams(_ count: Int) -> StrideTo<Int> {
    stride(from: 1, to: 2 * count, by: 2)
  }

  private static let groups = [
    Group(name: "idle", count: 500) { GRPCFrames.preface() },
    Group(name: "half frames", count: 200) {
      GRPCFrames.preface()
        + GRPCFrames.open(GRPCFrames.check, 1).prefix(Int.random(in: 1...40))
    },
    Group(name: "half requests", count: 100) {
      GRPCFrames.preface()
        + streams(50).flatMap { GRPCFrames.open(GRPCFrames.check, $0) }
    },
    // Each call is answered with the method's name.
    Group(name: "mute", count: 200) {
      GRPCFrames.preface() + streams(100).flatMap { GRPCFrames.open(method, $0, isLast: true) }
    },
    Group(name: "without a window", count: 100) {
      GRPCFrames.preface(window: 0)
        + streams(20).flatMap {
          GRPCFrames.open(GRPCFrames.check, $0) + GRPCFrames.message([], $0)
        } + (20..<30).flatMap { GRPCFrames.describe(2 * $0 + 1) }
    },
  ]

  /// A kind of peer that sends frames as fast as the server reads, and reads the responses.
  private struct Flood: Sendable {
    let name: String
    /// The frames for the stream with an ID.
    let frames: @Sendable (Int) -> [UInt8]
  }

  private static let floods = [
    Flood(name: "endless streams") { GRPCFrames.describe($0) },
    Flood(name: "rapid reset") { GRPCFrames.describe($0) + GRPCFrames.reset($0) },
    Flood(name: "pings") { _ in GRPCFrames.ping() },
    Flood(name: "settings") { _ in GRPCFrames.frame(4, 0, [0, 4, 0, 0, 0, 1]) },
    Flood(name: "continuation") { id in
      id == 1
        ? GRPCFrames.open(GRPCFrames.check, 1, isComplete: false) : GRPCFrames.frame(9, 1)
    },
    Flood(name: "empty data") { id in
      id == 1 ? GRPCFrames.open(GRPCFrames.reflection, 1) : GRPCFrames.frame(0, 1)
    },
    Flood(name: "windows of one byte") { id in
      id == 1
        ? GRPCFrames.frame(4, 0, [0, 4, 0, 0, 0, 0]) + GRPCFrames.describe(1)
        : GRPCFrames.frame(8, 1, [0, 0, 0, 1])
    },
    Flood(name: "compressed zeros") { id in
      GRPCFrames.open(GRPCFrames.check, id)
        + GRPCFrames.message(GRPCFrames.bomb, id, isCompressed: true)
    },
  ]

  func run() -> Never {
    for index in Self.floods.indices {
      Thread.detachNewThread { [path, report] in
        let flood = Self.floods[index]
        Attack.flood(path, report, flood.name, begin: GRPCFrames.preface(), flood.frames)
      }
    }
    var sockets = Self.groups.map { [Socket?](repeating: nil, count: $0.count) }
    // The peers are independent of each other: each acts once in a hundred ticks.
    var tick = 0
    while true {
      for (index, group) in Self.groups.enumerated() {
        for peer in stride(from: tick % 100, to: group.count, by: 100) {
          if let open = sockets[index][peer], !open.hasHungUp { continue }
          if sockets[index][peer] != nil { report.count("\(group.name) closed") }
          sockets[index][peer] = Socket(path: path)
          if let socket = sockets[index][peer] {
            _ = socket.send(group.begin())
          } else {
            report.count("not connected")
          }
        }
      }
      tick += 1
      if tick % 500 == 0 { report.print() }
      usleep(1000)
    }
  }
}

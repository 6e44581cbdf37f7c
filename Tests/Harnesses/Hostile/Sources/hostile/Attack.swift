internal import Foundation
internal import Glibc

/// All kinds of misbehaving peers at the same time, until the process is killed.
///
/// Each second it prints a line with the events so far.
struct Attack {
  static let mutePeers = 200
  static let halfFrames = 200
  static let idlePeers = 1000

  let path: String
  private let report = Report()

  init(path: String) {
    self.path = path
  }

  func run() -> Never {
    Thread.detachNewThread { [path, report] in Self.openWithoutEnd(path, report) }
    Thread.detachNewThread { [path, report] in Self.openAndCancel(path, report) }
    var idle: [Socket?] = Array(repeating: nil, count: Self.idlePeers)
    var halves: [Socket?] = Array(repeating: nil, count: Self.halfFrames)
    var mute = (0..<Self.mutePeers).map { _ in MutePeer() }
    // The peers are independent of each other, so they do not all act in the same tick.
    var tick = 0
    while true {
      for index in Self.share(of: idle.indices, tick) {
        reconnect(&idle[index], "idle closed") { _ in }
      }
      for index in Self.share(of: halves.indices, tick) {
        reconnect(&halves[index], "half frames closed") { socket in
          _ = socket.send(Frames.reflection(1).prefix(Int.random(in: 1...40)))
        }
      }
      for index in Self.share(of: mute.indices, tick) { mute[index].step(path, report) }
      tick += 1
      if tick % 500 == 0 { report.print() }
      usleep(1000)
    }
  }

  /// The indices that act in a tick: each once in a hundred ticks.
  private static func share(of indices: Range<Int>, _ tick: Int) -> StrideTo<Int> {
    stride(from: tick % 100, to: indices.count, by: 100)
  }

  private func reconnect(_ socket: inout Socket?, _ event: String, _ begin: (Socket) -> Void) {
    if let open = socket {
      guard open.isClosed else { return }
      report.count(event)
    }
    socket = Socket(path: path)
    if let socket { begin(socket) } else { report.count("not connected") }
  }

  /// Opens streams that never end, as fast as the server reads, and reads the responses.
  private static func openWithoutEnd(_ path: String, _ report: Report) {
    flood(path, report, "endless streams", countsStatuses: true) { streamID in
      Frames.reflection(streamID)
    }
  }

  /// Opens streams and cancels them at once.
  private static func openAndCancel(_ path: String, _ report: Report) {
    flood(path, report, "rapid reset", countsStatuses: true) { streamID in
      Frames.reflection(streamID) + Frames.cancel(streamID)
    }
  }

  /// Sends frames as fast as the server reads, and reads the responses; reconnects when closed.
  ///
  /// - Parameters:
  ///   - begin: The first bytes of each connection.
  ///   - countsStatuses: True to report the status codes of ttrpc's responses.
  ///   - frames: Returns the frames for the stream with an ID.
  static func flood(
    _ path: String, _ report: Report, _ name: String, begin: [UInt8] = [],
    countsStatuses: Bool = false, _ frames: (Int) -> [UInt8]
  ) {
    while true {
      guard let socket = Socket(path: path) else {
        report.count("not connected")
        usleep(100_000)
        continue
      }
      var streamID = 1
      var waiting = begin
      var counter = StatusCounter()
      var isOpen = true
      while isOpen, streamID < 1 << 30 {
        while waiting.count < 32_768 {
          waiting += frames(streamID)
          streamID += 2
        }
        switch socket.send(waiting) {
        case .sent(let count): waiting.removeFirst(count)
        case .full: usleep(100)
        case .closed: isOpen = false
        }
        guard let received = socket.receive() else { break }
        guard countsStatuses else { continue }
        counter.append(received)
        report.set(name, opened: streamID / 2, counter.counts)
      }
      report.count("\(name) closed")
    }
  }
}

/// A peer that calls and never reads: each call is answered with 4 KiB, the method's name.
struct MutePeer {
  private static let method = String(repeating: "x", count: 4096)

  private var socket: Socket?
  private var streamID = 1
  private var waiting: [UInt8] = []

  mutating func step(_ path: String, _ report: Report) {
    var calls = 2
    if socket == nil {
      socket = Socket(path: path)
      (streamID, waiting, calls) = (1, [], 50)
    }
    guard let socket else { return report.count("not connected") }
    for _ in 0..<calls where waiting.count < 1 << 20 {
      waiting += Frames.request(streamID, "mockups.v1.CreditService", Self.method)
      streamID += 2
    }
    switch socket.send(waiting) {
    case .sent(let count): waiting.removeFirst(count)
    case .full: break
    case .closed:
      report.count("mute peers closed")
      self.socket = nil
    }
  }
}

/// Counts the events of all peers.
final class Report: @unchecked Sendable {
  // Unchecked: all properties are read and written under the lock.
  private let lock = NSLock()
  private var events: [String: Int] = [:]
  private var floods: [String: String] = [:]

  func count(_ event: String) {
    lock.withLock { events[event, default: 0] += 1 }
  }

  func set(_ flood: String, opened: Int, _ statuses: [UInt8: Int]) {
    let statuses = statuses.sorted { $0.key < $1.key }.map { "code \($0.key): \($0.value)" }
    lock.withLock {
      floods[flood] = "\(opened) opened, \(statuses.joined(separator: ", "))"
    }
  }

  func print() {
    let parts = lock.withLock {
      events.map { "\($0): \($1)" }.sorted() + floods.map { "\($0): \($1)" }.sorted()
    }
    announce(parts.joined(separator: "; "))
  }
}

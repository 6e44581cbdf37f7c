import Foundation
import StandardStreams
import Synchronization
import Testing

/// Lines written to a pipe that the test reads.
@Suite struct LineWriterTests {
  /// A clock whose sleepers wake when the test calls `wake()`.
  private final class ManualClock: Clock, Sendable {
    struct Instant: InstantProtocol {
      var offset = Duration.zero
      func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
      func duration(to other: Instant) -> Duration { other.offset - offset }
      static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }

    private let (wakeups, source) = AsyncStream<Void>.makeStream()
    var now: Instant { Instant() }
    var minimumResolution: Duration { .zero }

    func wake() { source.yield() }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
      for await _ in wakeups { return }
      throw CancellationError()
    }
  }

  private let pipe = Pipe()
  private var descriptor: Int32 { pipe.fileHandleForWriting.fileDescriptor }

  /// Closes the writing end and reads the remaining lines.
  private func remainingLines() throws -> [Substring] {
    try pipe.fileHandleForWriting.close()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    return String(decoding: data, as: UTF8.self).split(separator: "\n")
  }

  @Test func `lines are written in order`() async throws {
    let writer = LineWriter(descriptor)
    for number in 0..<1000 { writer.write("\(number)") }
    #expect(await writer.flush(within: .seconds(300)))
    #expect(try remainingLines() == (0..<1000).map { "\($0)" })
  }

  @Test func `a blocked reader does not delay writers, and is told how many lines were lost`()
    async throws
  {
    let lost = Atomic(0)
    // The writer takes more than the 64 KiB that a pipe holds, so that it blocks in any case.
    let writer = LineWriter(descriptor, maxWaitingBytes: 262_144) {
      lost.add(1, ordering: .relaxed)
    } lossNotice: {
      "lost \($0)"
    }
    let line = String(repeating: "x", count: 99)
    for _ in 0..<10_000 { writer.write(line) }

    let clock = ManualClock()
    clock.wake()
    #expect(await writer.flush(within: .seconds(1), clock: clock) == false)

    let reading = Task.detached { [pipe] in
      String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }
    #expect(await writer.flush(within: .seconds(300)))
    writer.write("after")
    #expect(await writer.flush(within: .seconds(300)))
    try pipe.fileHandleForWriting.close()
    let lines = try await reading.value.split(separator: "\n")
    #expect(lines.last == "after")
    let notices = lines.compactMap { $0.hasPrefix("lost ") ? Int($0.dropFirst(5)) : nil }
    let reported = notices.reduce(0, +)
    #expect(reported == lost.load(ordering: .relaxed))
    #expect(reported > 0)
    #expect(lines.count { $0 == line } + reported == 10_000)
  }

  @Test func `a closed reader does not block the writer or end the process`() async throws {
    signal(SIGPIPE, SIG_IGN)
    let writer = LineWriter(descriptor)
    try pipe.fileHandleForReading.close()
    for _ in 0..<10 {
      writer.write("nobody reads this")
      #expect(await writer.flush(within: .seconds(300)))
    }
    try pipe.fileHandleForWriting.close()
    writer.write("nor this")
    #expect(await writer.flush(within: .seconds(300)))
  }
}

import Foundation
import TestSupport
import Testing

@testable import Systemd

/// What a service manager hears, on a socket of its own.
@Suite struct NotifierTests {
  @Test func aManagerHearsAtAPath() async throws {
    try await withTemporaryFolder { folder in
      try await Self.talk(through: "\(folder)/notify")
      // The longest that an address holds.
      let longest = "\(folder)/" + String(repeating: "n", count: 106 - folder.utf8.count)
      try await Self.talk(through: longest)
    }
  }

  @Test func aManagerHearsAtAnAbstractName() async throws {
    let name = "@mockupd/\(UUID().uuidString)"
    try await Self.talk(through: name)
    try await Self.talk(through: name.padding(toLength: 107, withPad: "n", startingAt: 0))
  }

  private static func talk(through address: String) async throws {
    let manager = try DatagramListener(address)
    let notifier = try Notifier(address: address)
    #expect(notifier.isHeard)
    try notifier.notify([.ready])
    try notifier.notify([.stopping, .status("going\nREADY=1\r\ndown")])
    try notifier.notify([.watchdog])
    #expect(try await manager.receive() == "READY=1")
    #expect(try await manager.receive() == "STOPPING=1\nSTATUS=going READY=1 down")
    #expect(try await manager.receive() == "WATCHDOG=1")
  }

  @Test func aReloadTellsItsMomentByTheMonotonicClock() async throws {
    try await withTemporaryFolder { folder in
      let manager = try DatagramListener("\(folder)/notify")
      let before = Notification.now
      try Notifier(address: "\(folder)/notify").notify([.reloading])
      let after = Notification.now
      let lines = try await manager.receive().split(separator: "\n")
      #expect(lines.first == "RELOADING=1")
      let moment = try #require(lines.last?.split(separator: "="))
      #expect(moment.first == "MONOTONIC_USEC")
      let microseconds = try #require(moment.last.flatMap { UInt64($0) })
      #expect((before...after).contains(microseconds))
    }
  }

  @Test func nothingIsSaidWhereNobodyWaits() throws {
    let notifier = try Notifier(address: nil)
    #expect(!notifier.isHeard)
    try notifier.notify([.ready])
  }

  @Test func aManagerThatIsAwayOrDoesNotReadIsAnErrorAndHoldsNobodyUp() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/notify"
      let notifier = try Notifier(address: path)
      #expect {
        try notifier.notify([.ready])
      } throws: { error in
        "\(error)" == "cannot notify \(path): sendto: No such file or directory"
      }
      let manager = try DatagramListener(path)
      #expect {
        while true { try notifier.notify([.watchdog]) }
      } throws: { error in
        "\(error)" == "cannot notify \(path): sendto: Resource temporarily unavailable"
      }
      #expect(try await manager.receive() == "WATCHDOG=1")
    }
  }

  @Test(arguments: [
    "", "@", "/", "run/notify", "vsock:2:1234", "/" + String(repeating: "n", count: 107),
  ])
  func anAddressThatIsNoneIsRefused(address: String) {
    #expect {
      _ = try Notifier(address: address)
    } throws: { error in
      "\(error)".hasPrefix("invalid NOTIFY_SOCKET \"\(address)\": ")
    }
  }
}

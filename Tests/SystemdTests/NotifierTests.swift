import Foundation
import TestSupport
import Testing

@testable import Systemd

/// Notifications to a service manager, whose socket the test reads.
@Suite struct NotifierTests {
  @Test func `notifications are sent to a path`() async throws {
    try await withTemporaryFolder { folder in
      try await Self.checkNotifications(through: "\(folder)/notify")
      // The longest path that an address holds.
      let longest = "\(folder)/" + String(repeating: "n", count: 106 - folder.utf8.count)
      try await Self.checkNotifications(through: longest)
    }
  }

  @Test func `notifications are sent to an abstract name`() async throws {
    let name = "@mockupd/\(UUID().uuidString)"
    try await Self.checkNotifications(through: name)
    try await Self.checkNotifications(
      through: name.padding(toLength: 107, withPad: "n", startingAt: 0))
  }

  private static func checkNotifications(through address: String) async throws {
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

  @Test func `a reload notification has the time of the monotonic clock`() async throws {
    try await withTemporaryFolder { folder in
      let manager = try DatagramListener("\(folder)/notify")
      let before = Notification.now
      try Notifier(address: "\(folder)/notify").notify([.reloading])
      let after = Notification.now
      let lines = try await manager.receive().split(separator: "\n")
      #expect(lines.first == "RELOADING=1")
      let timestamp = try #require(lines.last?.split(separator: "="))
      #expect(timestamp.first == "MONOTONIC_USEC")
      let microseconds = try #require(timestamp.last.flatMap { UInt64($0) })
      #expect((before...after).contains(microseconds))
    }
  }

  @Test func `nothing is sent without a service manager`() throws {
    let notifier = try Notifier(address: nil)
    #expect(!notifier.isHeard)
    try notifier.notify([.ready])
  }

  @Test func `an absent or blocked service manager is an error and does not block the sender`()
    async throws
  {
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
  func `an invalid address is refused`(address: String) {
    #expect {
      _ = try Notifier(address: address)
    } throws: { error in
      "\(error)".hasPrefix("invalid NOTIFY_SOCKET \"\(address)\": ")
    }
  }
}

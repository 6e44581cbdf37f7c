import Testing

@testable import Systemd

/// The variables of socket activation, read by process 100 with open descriptors 3 to 5.
@Suite struct ListenDescriptorsTests {
  private static func sockets(_ environment: [String: String]) throws -> [String] {
    try ListenDescriptors(environment: environment, processID: 100) { (3...5).contains($0) }
      .sockets.map { "\($0.descriptor) \($0.name ?? "-")" }
  }

  @Test func `sockets have consecutive descriptors from 3 on`() throws {
    let cases: [(environment: [String: String], sockets: [String])] = [
      ([:], []),
      (["LISTEN_PID": "100"], []),
      (["LISTEN_FDS": "1"], []),
      (["LISTEN_PID": "100", "LISTEN_FDS": "1"], ["3 -"]),
      (["LISTEN_PID": "100", "LISTEN_FDS": "3"], ["3 -", "4 -", "5 -"]),
      (
        ["LISTEN_PID": "100", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "mockupd.socket:"],
        ["3 mockupd.socket", "4 "]
      ),
      // The variables were meant for the parent process, so their values do not matter.
      (["LISTEN_PID": "99", "LISTEN_FDS": "1"], []),
      (["LISTEN_PID": "99", "LISTEN_FDS": "many"], []),
    ]
    for (environment, sockets) in cases {
      #expect(try Self.sockets(environment) == sockets, "\(environment)")
    }
  }

  @Test func `the error names the invalid variable of socket activation`() {
    let cases: [(environment: [String: String], message: String)] = [
      (["LISTEN_PID": "me", "LISTEN_FDS": "1"], "invalid LISTEN_PID \"me\": not a process id"),
      (["LISTEN_PID": "-100", "LISTEN_FDS": "1"], "invalid LISTEN_PID \"-100\": not a process id"),
      (
        ["LISTEN_PID": "100", "LISTEN_FDS": "0"],
        "invalid LISTEN_FDS \"0\": not a valid number of descriptors"
      ),
      (
        ["LISTEN_PID": "100", "LISTEN_FDS": "2147483647"],
        "invalid LISTEN_FDS \"2147483647\": not a valid number of descriptors"
      ),
      (
        ["LISTEN_PID": "100", "LISTEN_FDS": "2147483644"],
        "invalid LISTEN_FDS \"2147483644\": descriptor 6 is not an open socket"
      ),
      (
        ["LISTEN_PID": "100", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "one:two"],
        "invalid LISTEN_FDNAMES \"one:two\": 2 names for 1 descriptors"
      ),
    ]
    for (environment, message) in cases {
      #expect {
        _ = try Self.sockets(environment)
      } throws: { error in
        "\(error)" == message
      }
    }
  }
}

@Suite struct WatchdogIntervalTests {
  private static func interval(_ environment: [String: String]) throws -> Duration? {
    try WatchdogInterval(environment: environment, processID: 100)?.duration
  }

  @Test func `the watchdog interval is in microseconds and for one process`() throws {
    let cases: [(environment: [String: String], duration: Duration?)] = [
      ([:], nil),
      (["WATCHDOG_PID": "100"], nil),
      (["WATCHDOG_USEC": "30000000"], .seconds(30)),
      (["WATCHDOG_USEC": "1500", "WATCHDOG_PID": "100"], .microseconds(1500)),
      (["WATCHDOG_USEC": "1500", "WATCHDOG_PID": "99"], nil),
    ]
    for (environment, duration) in cases {
      #expect(try Self.interval(environment) == duration, "\(environment)")
    }
    let interval = try WatchdogInterval(environment: ["WATCHDOG_USEC": "9"], processID: 100)
    #expect(interval?.half == .nanoseconds(4500))
  }

  @Test(arguments: [
    ["WATCHDOG_USEC": "0"], ["WATCHDOG_USEC": "-1"], ["WATCHDOG_USEC": "1s"],
    ["WATCHDOG_USEC": "9223372036854775808"], ["WATCHDOG_USEC": "1", "WATCHDOG_PID": "0"],
  ])
  func `an invalid watchdog interval is refused`(environment: [String: String]) {
    #expect(throws: SystemdError.self) { try Self.interval(environment) }
  }
}

internal import ArgumentParser
internal import Glibc

/// The command line.
@main
struct Load: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Generate load on a server, and print the results as one line of JSON.",
    discussion: """
      Without --rate (closed loop), each connection keeps --in-flight calls in flight, and the \
      latency of a call is the time from its write to its response. With --rate (open loop), calls \
      are due at fixed times, from which the latency counts: it includes the wait of a call that \
      cannot be sent yet.

      health       grpc.health.v1.Health/Check, 64 bytes
      reserve      CreditService/ReserveCredits of one credit
      pair         ReserveCredits and CommitReservation of the same credit, counted as one call
      usage        CreditService/GetCreditUsage
      idle         connections that are idle after a health check each
      performance  MockupService/StreamPerformance: one stream for the whole run; calls are entries
      """)

  @Option(help: "The server's Unix socket.")
  var socket: String

  @Option(help: "The work: \(Work.allCases.map(\.rawValue).joined(separator: ", ")).")
  var work: Work

  @Option(
    name: .customLong("protocol"),
    help: "The protocol, ttrpc or grpc. With grpc, the work is health, reserve or usage.")
  var wireProtocol = WireProtocol.ttrpc

  @Option(help: "The number of connections.")
  var connections = 1

  @Option(help: "The maximum number of calls in flight on each connection.")
  var inFlight = 1

  @Option(help: "Seconds of warm-up before the measurement.")
  var warmup = 1.0

  @Option(help: "Seconds of the measurement.")
  var seconds = 5.0

  @Option(help: "Calls per second on all connections; with performance: entries per second.")
  var rate: Double?

  @Option(help: "The number of users. (default: 1 for usage, 1000 for the others)")
  var users: Int?

  @Option(help: "The number of the first user.")
  var firstUser = 0

  @Option(help: "The process id of the server, to report its CPU time and memory.")
  var serverPid: Int32?

  @Option(help: "The seed of the ids. (default: a random one)")
  var seed: UInt64?

  @Option(help: "With performance: the number of entries in a batch.")
  var batch = 500

  @Option(help: "With performance: the maximum number of batches.")
  var batches: Int?

  @Option(help: "With performance: the number of mockups.")
  var mockups = 1000

  @Flag(help: "Print a line for people on standard error, too.")
  var table = false

  func validate() throws {
    let numbers = [
      "--connections": connections, "--in-flight": inFlight, "--users": users ?? 1,
      "--batch": batch, "--batches": batches ?? 1, "--mockups": mockups,
    ]
    for (name, number) in numbers where number < 1 || number > 1_000_000_000 {
      throw ValidationError("\(name) must be from 1 to 1000000000")
    }
    guard (0...1_000_000_000).contains(firstUser) else {
      throw ValidationError("--first-user must be from 0 to 1000000000")
    }
    guard batch <= 1000 else { throw ValidationError("--batch must be at most 1000") }
    guard (0...86_400).contains(warmup), (0.001...86_400).contains(seconds) else {
      throw ValidationError(
        "--warmup must be from 0 to 86400, and --seconds from 0.001 to 86400")
    }
    if let rate, !(0.001...1e9).contains(rate) {
      throw ValidationError("--rate must be from 0.001 to 1000000000")
    }
    if wireProtocol == .grpc, ![.health, .reserve, .usage].contains(work) {
      throw ValidationError("--work \(work.rawValue) requires --protocol ttrpc")
    }
    if work == .idle, serverPid == nil {
      throw ValidationError("--work idle requires --server-pid, to measure the server's memory")
    }
  }

  func run() throws {
    _ = signal(SIGPIPE, SIG_IGN)
    let report = try Report(plan)
    print(report.json.text)
    guard table else { return }
    let line = Array((report.line + "\n").utf8)
    _ = unsafe write(STDERR_FILENO, line, line.count)
  }

  private var plan: Plan {
    let warmup = UInt64(warmup * 1e9)
    let measured = UInt64(seconds * 1e9)
    return Plan(
      work: work, wireProtocol: wireProtocol, socket: socket, connections: connections,
      inFlight: inFlight, warmup: warmup,
      measured: measured, rate: rate, users: users ?? work.users, firstUser: firstUser,
      serverProcessID: serverPid,
      // At most 53 bits, so that every JSON parser reads the reported seed exactly.
      seed: seed ?? .random(in: 1..<(1 << 53)), batch: batch, batches: batches, mockups: mockups,
      deadline: Clock.now() + warmup + measured + Plan.abortDelay)
  }
}

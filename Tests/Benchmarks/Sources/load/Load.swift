internal import ArgumentParser
internal import Glibc

/// The command line.
@main
struct Load: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Puts load on a ttrpc server, and prints what came of it as one line of JSON.",
    discussion: """
      Without --rate each connection keeps --in-flight calls on their way, and a call's latency is \
      from its write to its answer. With it calls are due at fixed instants, and latency is from then: \
      a call that cannot be sent yet waits, and its wait counts.

      health       grpc.health.v1.Health/Check, 64 bytes
      reserve      CreditService/ReserveCredits of one credit
      pair         the same, and CommitReservation of it: both are one call
      usage        CreditService/GetCreditUsage
      idle         connections that do nothing once each has made a health check
      performance  MockupService/StreamPerformance: one stream for the whole run; calls are entries
      """)

  @Option(help: "The server's Unix socket.")
  var socket: String

  @Option(help: "What to do: \(Work.allCases.map(\.rawValue).joined(separator: ", ")).")
  var work: Work

  @Option(help: "How many connections.")
  var connections = 1

  @Option(help: "How many calls are on their way at most, on each connection.")
  var inFlight = 1

  @Option(help: "Seconds before what is measured.")
  var warmup = 1.0

  @Option(help: "Seconds that are measured.")
  var seconds = 5.0

  @Option(help: "Calls per second, of all connections (of performance: entries).")
  var rate: Double?

  @Option(help: "How many users there are (default: 1 of usage, 1000 of others).")
  var users: Int?

  @Option(help: "The server's process, to tell what it uses.")
  var serverPid: Int32?

  @Option(help: "What the ids follow from (default: a new one each time).")
  var seed: UInt64?

  @Option(help: "Of performance: entries in a batch.")
  var batch = 500

  @Option(help: "Of performance: how many batches at most.")
  var batches: Int?

  @Option(help: "Of performance: how many mockups there are.")
  var mockups = 1000

  @Flag(help: "Print a line for people, too, on the standard error.")
  var table = false

  func validate() throws {
    let numbers = [
      "--connections": connections, "--in-flight": inFlight, "--users": users ?? 1,
      "--batch": batch, "--batches": batches ?? 1, "--mockups": mockups,
    ]
    for (name, number) in numbers where number < 1 || number > 1_000_000_000 {
      throw ValidationError("\(name) is 1 at least, and a thousand million at most")
    }
    guard batch <= 1000 else { throw ValidationError("--batch is 1000 at most") }
    guard (0...86_400).contains(warmup), (0.001...86_400).contains(seconds) else {
      throw ValidationError("--warmup and --seconds are a day at most")
    }
    if let rate, !(0.001...1e9).contains(rate) {
      throw ValidationError("--rate is a number above 0, and a thousand million at most")
    }
    if work == .idle, serverPid == nil {
      throw ValidationError("idle measures the server's memory: it needs --server-pid")
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
      work: work, socket: socket, connections: connections, inFlight: inFlight, warmup: warmup,
      measured: measured, rate: rate, users: users ?? work.users, serverProcessID: serverPid,
      // Small enough for every reader of JSON, so that it can be asked for again.
      seed: seed ?? .random(in: 1..<(1 << 53)), batch: batch, batches: batches, mockups: mockups,
      deadline: Clock.now() + warmup + measured + Plan.patience)
  }
}

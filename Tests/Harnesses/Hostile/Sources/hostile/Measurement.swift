internal import Foundation
internal import Glibc
internal import MockupClient
internal import TTRPCServices

/// Measures a well-behaved client, in quiet phases and beside attacks.
struct Measurement {
  private static let tasks = 4
  private static let warmup: Duration = .seconds(3)
  private static let time: Duration = .seconds(8)

  let path: String
  let server: Int32
  let users: [String]

  /// The results of the calls of one method in a phase.
  struct Figures {
    var latencies: [Duration] = []
    var errors: [String: Int] = [:]

    func percentile(_ share: Double) -> Double {
      let sorted = latencies.sorted()
      guard !sorted.isEmpty else { return .infinity }
      let index = min(Int(Double(sorted.count) * share), sorted.count - 1)
      return Double(sorted[index].components.attoseconds) / 1e15
        + Double(sorted[index].components.seconds) * 1e3
    }
  }

  /// The misbehaving peers of a phase.
  enum Peers: String, CaseIterable {
    case quiet, ttrpc, grpc
  }

  /// The results of a phase.
  struct Phase {
    var peers: Peers
    var health = Figures()
    var reserve = Figures()
    var peakMemory = 0
    var memory = 0
    var descriptors = 0
    var attack = ""
  }

  func run(rounds: Int) async throws -> Bool {
    let client = Client(path: path)
    // Warms up: connections, statements and caches exist after this.
    _ = try await calls(client, for: Self.warmup)
    var phases: [Phase] = []
    announce(
      "peers    check p50  p99 ms   calls/s | reserve p50  p99 ms  calls/s "
        + "| peak MiB  MiB after  fds"
    )
    for peers in (0..<rounds).flatMap({ _ in Peers.allCases }) {
      let phase = try await phase(client, peers)
      show(phase)
      phases.append(phase)
    }
    await client.close()
    return judge(phases)
  }

  private func phase(_ client: Client, _ peers: Peers) async throws -> Phase {
    let output = Pipe()
    let attack = peers == .quiet ? nil : try startAttack(peers, output)
    let lines = Task {
      peers != .quiet ? output.fileHandleForReading.readDataToEndOfFile() : Data()
    }
    try await Task.sleep(for: Self.warmup)
    let memory = Task {
      var peak = 0
      while !Task.isCancelled {
        peak = max(peak, residentMemory())
        try? await Task.sleep(for: .milliseconds(100))
      }
      return peak
    }
    var phase = Phase(peers: peers)
    (phase.health, phase.reserve) = try await calls(client, for: Self.time)
    memory.cancel()
    phase.peakMemory = await memory.value
    if let attack {
      kill(attack.processIdentifier, SIGKILL)
      attack.waitUntilExit()
      phase.attack =
        String(decoding: await lines.value, as: UTF8.self)
        .split(separator: "\n").last.map(String.init) ?? ""
      // Gives the server time to notice the closed connections.
      try await Task.sleep(for: .seconds(3))
    }
    phase.memory = residentMemory()
    phase.descriptors = descriptors()
    return phase
  }

  private func startAttack(_ peers: Peers, _ output: Pipe) throws -> Process {
    let process = Process()
    // Idle priority: the effect on the server is measured, not how the kernel shares the
    // processors.
    process.executableURL = URL(filePath: "/usr/bin/chrt")
    process.arguments = ["--idle", "0", CommandLine.arguments[0], "attack", peers.rawValue, path]
    process.standardOutput = output
    try process.run()
    return process
  }

  /// Calls for a while, each task with a pause between its calls.
  private func calls(_ client: Client, for time: Duration) async throws -> (Figures, Figures) {
    let end = ContinuousClock.now + time
    return await withTaskGroup(of: (isHealth: Bool, Figures).self) { group in
      for task in 0..<Self.tasks {
        group.addTask {
          (
            true,
            await repeated(until: end, pause: .milliseconds(2)) {
              _ = try await HealthClient(client).check(HealthCheckRequest())
            }
          )
        }
        let user = users[task % users.count]
        group.addTask {
          (
            false,
            await repeated(until: end, pause: .milliseconds(5)) {
              _ = try await CreditServiceClient(client).reserveCredits(
                ReserveCreditsRequest(
                  userID: user, credits: 1, reservationID: UUID().uuidString.lowercased()))
            }
          )
        }
      }
      return await group.reduce(into: (Figures(), Figures())) { all, part in
        let keyPath: WritableKeyPath<(Figures, Figures), Figures> = part.isHealth ? \.0 : \.1
        all[keyPath: keyPath].latencies += part.1.latencies
        all[keyPath: keyPath].errors.merge(part.1.errors, uniquingKeysWith: +)
      }
    }
  }

  private func repeated(
    until end: ContinuousClock.Instant, pause: Duration, _ call: () async throws -> Void
  ) async -> Figures {
    var figures = Figures()
    while ContinuousClock.now < end {
      let start = ContinuousClock.now
      do {
        try await call()
        figures.latencies.append(start.duration(to: .now))
      } catch {
        figures.errors["\(error)", default: 0] += 1
      }
      try? await Task.sleep(for: pause)
    }
    return figures
  }

  // MARK: - Server process

  /// Reads the resident memory of the server, in bytes.
  private func residentMemory() -> Int {
    let pages = (try? String(contentsOfFile: "/proc/\(server)/statm", encoding: .utf8))?
      .split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return (pages ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  private func descriptors() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(server)/fd"))?.count ?? 0
  }

  // MARK: - Verdict

  private func show(_ phase: Phase) {
    let seconds = Double(Self.time.components.seconds)
    func rate(_ figures: Figures) -> Double { Double(figures.latencies.count) / seconds }
    announce(
      String(
        format: "%@ %8.2f %8.2f %9.0f | %11.2f %7.2f %8.0f | %8d %10d %4d",
        phase.peers.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0),
        phase.health.percentile(0.5), phase.health.percentile(0.99), rate(phase.health),
        phase.reserve.percentile(0.5), phase.reserve.percentile(0.99), rate(phase.reserve),
        phase.peakMemory >> 20, phase.memory >> 20, phase.descriptors))
    if !phase.attack.isEmpty { announce("         \(phase.attack)") }
    for (error, count) in phase.health.errors.merging(phase.reserve.errors, uniquingKeysWith: +) {
      announce("         \(count) times: \(error)")
    }
  }

  private func judge(_ phases: [Phase]) -> Bool {
    let quiet = phases.filter { $0.peers == .quiet }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    func ratio(_ peers: Peers, _ figures: (Phase) -> Figures) -> Double {
      median(phases.filter { $0.peers == peers }.map { figures($0).percentile(0.99) })
        / median(quiet.map { figures($0).percentile(0.99) })
    }
    guard let first = quiet.first, let last = phases.last else { return false }
    let peak = phases.map(\.peakMemory).max() ?? 0
    let errors = phases.reduce(0) { sum, phase in
      sum + phase.health.errors.values.reduce(0, +) + phase.reserve.errors.values.reduce(0, +)
    }
    let verdicts: [(name: String, value: Double, bound: Double)] = [
      ("p99 of Check, ttrpc peers to quiet", ratio(.ttrpc, \.health), 2),
      ("p99 of ReserveCredits, ttrpc peers to quiet", ratio(.ttrpc, \.reserve), 2),
      ("p99 of Check, gRPC peers to quiet", ratio(.grpc, \.health), 2),
      ("p99 of ReserveCredits, gRPC peers to quiet", ratio(.grpc, \.reserve), 2),
      ("growth of the peak memory, in MiB", Double((peak - first.memory) >> 20), 160),
      ("growth of the memory afterwards, in MiB", Double((last.memory - first.memory) >> 20), 16),
      ("growth of open descriptors afterwards", Double(last.descriptors - first.descriptors), 0),
      ("failed calls", Double(errors), 0),
    ]
    for (name, value, bound) in verdicts {
      announce(
        String(
          format: "%@: %.2f, at most %.0f%@", name, value, bound, value <= bound ? "" : "  FAILED"))
    }
    return verdicts.allSatisfy { $0.value <= $0.bound }
  }
}

/// Prints a line without buffering, also if the output is not a terminal.
func announce(_ line: String) {
  FileHandle.standardOutput.write(Data("\(line)\n".utf8))
}

internal import Dispatch
internal import Foundation
internal import MockupClient

// A generation worker for tests, in a process that can be killed. It completes most of the mockups
// that it claims, and fails the others. At SIGTERM it returns its claims and ends.
//
//   worker SOCKET NAME SEED

let arguments = CommandLine.arguments
guard arguments.count == 4, let seed = UInt64(arguments[3]) else { exit(64) }

signal(SIGTERM, SIG_IGN)
let working = Task {
  try await MockupClient.withConnection(to: .unixSocket(path: arguments[1])) { client in
    try await client.mockups.withClaimedMockups(
      worker: arguments[2], concurrency: 4, lease: .seconds(5)
    ) { claimed in
      // The outcome of an attempt derives from the seed, so that it is the same for all workers.
      let id = claimed.mockup?.mockupID ?? ""
      let luck = (id.utf8.reduce(seed) { ($0 &* 31) &+ UInt64($1) } >> 7) % 100
      try await Task.sleep(for: .milliseconds(Int(luck % 20)))
      if luck < 10, claimed.attempt == 1 { throw MockupFailure("busy", mayRetry: true) }
      if luck < 15 { throw MockupFailure("broken", mayRetry: false) }
      return MockupCompletion(
        fileURL: "https://files/\(id)", fileKey: id, credits: luck < 50 ? 1 : nil)
    }
  }
}
let stop = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .main)
stop.setEventHandler { working.cancel() }
stop.resume()
do {
  try await working.value
} catch {
  try? FileHandle.standardError.write(contentsOf: Data("\(error)\n".utf8))
  exit(1)
}

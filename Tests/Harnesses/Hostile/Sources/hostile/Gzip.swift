internal import Foundation

/// The compressor of this machine.
enum Gzip {
  /// Returns bytes as a gzip member.
  static func compress(_ bytes: [UInt8]) -> [UInt8] {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    let output = Pipe()
    let process = Process()
    process.executableURL = URL(filePath: "/bin/gzip")
    process.arguments = ["--best", "--no-name", "--stdout", file.path]
    process.standardOutput = output
    do {
      try Data(bytes).write(to: file)
      defer { try? FileManager.default.removeItem(at: file) }
      try process.run()
      let data = output.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return Array(data)
    } catch {
      fatalError("cannot run gzip: \(error)")
    }
  }
}

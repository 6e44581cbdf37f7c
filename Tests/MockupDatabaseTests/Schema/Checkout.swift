import FoundationEssentials

/// The source tree that the tests were built from.
enum Checkout {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func text(of path: String) throws -> String {
    let data = try Data(contentsOf: root.appending(path: path))
    return String(decoding: data, as: UTF8.self)
  }

  /// Returns the paths of all files below folders, relative to the root.
  static func files(below folders: [String]) throws -> [String] {
    try folders.flatMap { folder in
      try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
        .map { "\(folder)/\($0)" }
    }
  }
}

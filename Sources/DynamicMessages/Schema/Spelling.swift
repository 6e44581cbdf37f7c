/// Finds what somebody may have meant.
enum Spelling {
  /// Longer names are not compared: the work grows with the square.
  private static let lengthLimit = 100

  /// The name that is the fewest changes away, if they are few for its length.
  static func nearest(to name: String, among names: some Sequence<String>) -> String? {
    let wanted = Array(name.lowercased().utf8)
    guard 1...lengthLimit ~= wanted.count else { return nil }
    var best: (distance: Int, name: String)?
    for candidate in names.sorted() where candidate.utf8.count <= lengthLimit {
      let distance = distance(wanted, Array(candidate.lowercased().utf8))
      guard distance <= max(2, wanted.count / 3), distance < best?.distance ?? .max else {
        continue
      }
      best = (distance, candidate)
    }
    return best?.name
  }

  /// Levenshtein's: how many bytes to add, to take away or to change.
  private static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
    var row = Array(0...second.count)
    for (index, byte) in first.enumerated() {
      var diagonal = index
      row[0] = index + 1
      for (column, other) in second.enumerated() {
        let change = diagonal + (byte == other ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(change, diagonal + 1, row[column] + 1)
      }
    }
    return row[second.count]
  }
}

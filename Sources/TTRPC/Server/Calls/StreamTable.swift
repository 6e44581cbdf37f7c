/// A map from stream ids to values, in an array sorted by id.
///
/// New ids are nearly always the highest, and short calls are found and removed near the end. For
/// the calls of one connection this is faster than hashing.
struct StreamTable<Value> {
  private var entries: [(id: UInt32, value: Value)] = []

  var count: Int { entries.count }
  var isEmpty: Bool { entries.isEmpty }

  subscript(_ id: UInt32) -> Value? {
    get {
      let index = index(of: id)
      return index < entries.endIndex && entries[index].id == id ? entries[index].value : nil
    }
    set {
      guard let newValue else {
        _ = removeValue(for: id)
        return
      }
      let index = index(of: id)
      if index < entries.endIndex, entries[index].id == id {
        entries[index].value = newValue
      } else {
        entries.insert((id, newValue), at: index)
      }
    }
  }

  mutating func removeValue(for id: UInt32) -> Value? {
    let index = index(of: id)
    guard index < entries.endIndex, entries[index].id == id else { return nil }
    return entries.remove(at: index).value
  }

  /// Changes the value of an id in place, if there is one.
  mutating func update(_ id: UInt32, _ change: (inout Value) -> Void) {
    let index = index(of: id)
    guard index < entries.endIndex, entries[index].id == id else { return }
    change(&entries[index].value)
  }

  func forEach(_ body: (UInt32, Value) -> Void) {
    for entry in entries { body(entry.id, entry.value) }
  }

  /// All ids, in ascending order.
  var ids: [UInt32] { entries.map(\.id) }

  /// Returns the ids of the values that satisfy a predicate, in ascending order.
  func ids(where fits: (Value) -> Bool) -> [UInt32] {
    entries.filter { fits($0.value) }.map(\.id)
  }

  /// Returns the index of an id, or of the first higher id.
  private func index(of id: UInt32) -> Int {
    guard !entries.isEmpty else { return 0 }
    var high = entries.endIndex - 1
    // `last` would copy the value, too.
    let last = entries[high].id
    if last <= id { return last == id ? high : entries.endIndex }
    var low = 0
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

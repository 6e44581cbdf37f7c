/// A strict parser of the text format, version 0.0.4.
///
/// Prometheus accepts every text that the parser accepts.
///
/// See <https://prometheus.io/docs/instrumenting/exposition_formats/>.
struct ExpositionParser {
  struct Sample: Equatable {
    let name: String
    let labels: [String: String]
    let value: Double
  }

  struct Family: Equatable {
    let name: String
    var help: String?
    var type: String
    var samples: [Sample] = []
  }

  struct FormatError: Error {
    let line: String
    let reason: String
  }

  private(set) var families: [Family] = []
  private var seen: Set<String> = []

  init(_ bytes: [UInt8]) throws {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw FormatError(line: "", reason: "not UTF-8")
    }
    guard text.isEmpty || text.hasSuffix("\n") else {
      throw FormatError(line: text, reason: "no line feed at the end")
    }
    var help: (name: String, text: String)?
    for line in text.unicodeScalars.split(separator: "\n").map({ String($0) }) {
      func check(_ condition: Bool, _ reason: String) throws {
        guard condition else { throw FormatError(line: line, reason: reason) }
      }
      let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
      if line.hasPrefix("# HELP ") {
        try check(words.count == 4 && help == nil, "malformed HELP line")
        help = (String(words[2]), try Self.unescaped(String(words[3]), quotes: false, line))
      } else if line.hasPrefix("# TYPE ") {
        try check(words.count == 4, "malformed TYPE line")
        let name = String(words[2])
        try check(Self.isName(name, colons: true), "invalid name")
        try check(["counter", "gauge", "histogram"].contains(words[3]), "unknown type")
        try check(help == nil || help?.name == name, "HELP of another name")
        try check(!families.contains { $0.name == name }, "duplicate TYPE")
        families.append(Family(name: name, help: help?.text, type: String(words[3])))
        help = nil
      } else {
        try check(help == nil, "HELP without TYPE")
        let sample = try Self.sample(line)
        guard let family = families.indices.last else {
          throw FormatError(line: line, reason: "sample without TYPE")
        }
        let allowed =
          families[family].type == "histogram"
          ? ["_bucket", "_sum", "_count"].map { families[family].name + $0 }
          : [families[family].name]
        try check(allowed.contains(sample.name), "sample of another metric")
        try check(
          seen.insert("\(sample.name)\(sample.labels.sorted { $0.key < $1.key })").inserted,
          "duplicate series")
        families[family].samples.append(sample)
      }
    }
    for family in families where family.type == "histogram" { try Self.checkHistogram(family) }
  }

  func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
    families.flatMap(\.samples).first { $0.name == name && $0.labels == labels }?.value
  }

  private static func checkHistogram(_ family: Family) throws {
    var series: [[String: String]: [(bound: Double, count: Double)]] = [:]
    for sample in family.samples where sample.name.hasSuffix("_bucket") {
      guard let bound = sample.labels["le"].flatMap(number) else {
        throw FormatError(line: family.name, reason: "bucket without le")
      }
      series[sample.labels.filter { $0.key != "le" }, default: []].append((bound, sample.value))
    }
    for (labels, buckets) in series {
      let rising = zip(buckets, buckets.dropFirst()).allSatisfy {
        $0.bound < $1.bound && $0.count <= $1.count
      }
      let count = family.samples.first { $0.name.hasSuffix("_count") && $0.labels == labels }?.value
      let sum = family.samples.first { $0.name.hasSuffix("_sum") && $0.labels == labels }
      guard rising, buckets.last?.bound == .infinity, buckets.last?.count == count, sum != nil
      else {
        throw FormatError(line: "\(family.name) \(labels)", reason: "inconsistent histogram")
      }
    }
  }

  private static func sample(_ line: String) throws -> Sample {
    func fail(_ reason: String) -> FormatError { FormatError(line: line, reason: reason) }
    guard let end = line.firstIndex(where: { $0 == "{" || $0 == " " }) else {
      throw fail("no value")
    }
    let name = String(line[..<end])
    guard isName(name, colons: true) else { throw fail("invalid name") }
    var labels: [String: String] = [:]
    var rest = line[end...]
    if rest.first == "{" {
      rest.removeFirst()
      repeat {
        guard let equals = rest.firstIndex(of: "=") else { throw fail("malformed label") }
        let label = String(rest[..<equals])
        guard isName(label, colons: false), !label.hasPrefix("__") else {
          throw fail("invalid label name")
        }
        rest = rest[rest.index(after: equals)...]
        guard rest.popFirst() == "\"" else { throw fail("missing quote") }
        var raw = ""
        while let character = rest.popFirst(), character != "\"" {
          raw.append(character)
          if character == "\\", let escaped = rest.popFirst() { raw.append(escaped) }
        }
        let value = try unescaped(raw, quotes: true, line)
        guard labels.updateValue(value, forKey: label) == nil else { throw fail("duplicate label") }
      } while rest.first == "," && rest.popFirst() != nil
      guard rest.popFirst() == "}" else { throw fail("no closing brace") }
    }
    guard rest.popFirst() == " ", let value = number(String(rest)) else {
      throw fail("invalid value")
    }
    return Sample(name: name, labels: labels, value: value)
  }

  private static func unescaped(_ text: String, quotes: Bool, _ line: String) throws -> String {
    var result = ""
    var rest = text[...]
    while let character = rest.popFirst() {
      guard character == "\\" else {
        result.append(character)
        continue
      }
      switch rest.popFirst() {
      case "\\": result.append("\\")
      case "n": result.append("\n")
      case "\"" where quotes: result.append("\"")
      default: throw FormatError(line: line, reason: "invalid escape")
      }
    }
    return result
  }

  private static func number(_ text: String) -> Double? {
    switch text {
    case "NaN": .nan
    case "+Inf": .infinity
    case "-Inf": -.infinity
    default: text.allSatisfy { "0123456789.e+-".contains($0) } ? Double(text) : nil
    }
  }

  private static func isName(_ name: String, colons: Bool) -> Bool {
    guard let first = name.unicodeScalars.first, !("0"..."9" ~= first) else { return false }
    return name.unicodeScalars.allSatisfy {
      "a"..."z" ~= $0 || "A"..."Z" ~= $0 || "0"..."9" ~= $0 || $0 == "_" || colons && $0 == ":"
    }
  }
}

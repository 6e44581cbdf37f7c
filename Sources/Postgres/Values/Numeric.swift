/// An exact decimal number of any size, as PostgreSQL's `numeric`; also not-a-number and infinities.
///
/// Two numbers are equal if their values are: 1.0 equals 1.00, although each keeps its own scale
/// in ``description``. As in PostgreSQL, NaN equals itself and is greater than every other.
public struct Numeric: Sendable {
  enum Kind: Sendable, Hashable {
    case negativeInfinity
    case finite
    case infinity
    case notANumber
  }

  /// The most digits after the point.
  public static let maximumScale = 16_383

  /// The most digits before the point.
  public static let maximumIntegerDigits = 131_072

  let kind: Kind
  let isNegative: Bool
  /// The power of 10 000 of the first digit.
  let weight: Int
  /// How many decimal digits are shown after the point.
  let scale: Int
  /// Digits to the base of 10 000, without zeros at either end; empty for zero.
  let digits: [Int16]

  /// Not a number.
  public static let nan = Numeric(kind: .notANumber)
  /// Greater than every number.
  public static let infinity = Numeric(kind: .infinity)
  /// Less than every number.
  public static let negativeInfinity = Numeric(kind: .negativeInfinity)

  /// Whether it is a number, rather than NaN or an infinity.
  public var isFinite: Bool { kind == .finite }

  /// Makes the number exactly.
  public init(_ value: some BinaryInteger) {
    let text = String(value)
    self = Numeric(text) ?? .nan  // an integer's digits are always well-formed
  }

  private init(kind: Kind) {
    self.kind = kind
    isNegative = false
    weight = 0
    scale = 0
    digits = []
  }

  /// Makes a finite number of digits that may have zeros at either end.
  init(isNegative: Bool, weight: Int, scale: Int, digits: [Int16]) {
    let leading = digits.prefix { $0 == 0 }.count
    var significant = Array(digits.dropFirst(leading))
    while significant.last == 0 { significant.removeLast() }
    kind = .finite
    self.scale = scale
    self.digits = significant
    self.isNegative = isNegative && !significant.isEmpty
    self.weight = significant.isEmpty ? 0 : weight - leading
  }
}

extension Numeric: Comparable, Hashable {
  /// Whether the values are equal, whatever their scales.
  public static func == (left: Numeric, right: Numeric) -> Bool {
    left.kind == right.kind && left.isNegative == right.isNegative
      && left.weight == right.weight && left.digits == right.digits
  }

  /// Hashes the value, whatever its scale.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(kind)
    hasher.combine(isNegative)
    hasher.combine(weight)
    hasher.combine(digits)
  }

  /// Orders as PostgreSQL does: -Infinity, the numbers, Infinity, NaN.
  public static func < (left: Numeric, right: Numeric) -> Bool {
    guard left.isFinite, right.isFinite else { return left.rank < right.rank }
    guard left.sign == right.sign else { return left.sign < right.sign }
    let magnitudeIsLess = left.hasLessMagnitude(than: right)
    return left.isNegative ? left != right && !magnitudeIsLess : magnitudeIsLess
  }

  private var rank: Int {
    switch kind {
    case .negativeInfinity: 0
    case .finite: 1
    case .infinity: 2
    case .notANumber: 3
    }
  }

  private var sign: Int { digits.isEmpty ? 0 : isNegative ? -1 : 1 }

  private func hasLessMagnitude(than other: Numeric) -> Bool {
    guard !digits.isEmpty, !other.digits.isEmpty else { return digits.count < other.digits.count }
    guard weight == other.weight else { return weight < other.weight }
    return digits.lexicographicallyPrecedes(other.digits)
  }
}

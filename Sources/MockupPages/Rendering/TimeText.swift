internal import MockupClient

/// Times as the pages show them.
enum TimeText {
  /// Returns a time to the minute, such as `14 Nov 2026 09:31`, or a dash if there is none.
  static func minute(_ time: Timestamp?) -> String {
    guard let time else { return "–" }
    let day = Day(time)
    return "\(day.shortText) \(day.year) \(clock(time))"
  }

  /// Returns a time for programs, such as `2026-11-14T09:31:05Z`; empty if there is none.
  static func machine(_ time: Timestamp?) -> String {
    guard let time else { return "" }
    let seconds = Day.padded(secondOfDay(time) % 60, to: 2)
    return "\(Day(time).isoText)T\(clock(time)):\(seconds)Z"
  }

  /// Returns the time between two times in its two largest units, such as `2 days 3 h`.
  static func age(since start: Timestamp, now: Timestamp) -> String {
    let minutes = max(now.seconds - start.seconds, 0) / 60
    let (days, hours) = (minutes / 1440, minutes / 60 % 24)
    if days >= 10 { return "\(days) days" }
    if days > 0 { return "\(days) day\(days == 1 ? "" : "s")" + (hours > 0 ? " \(hours) h" : "") }
    if hours > 0 { return "\(hours) h" + (minutes % 60 > 0 ? " \(minutes % 60) min" : "") }
    return minutes > 0 ? "\(minutes) min" : "less than a minute"
  }

  private static func secondOfDay(_ time: Timestamp) -> Int {
    Int(time.seconds) - Day(time).number * 86_400
  }

  private static func clock(_ time: Timestamp) -> String {
    let second = min(max(secondOfDay(time), 0), 86_399)
    return "\(Day.padded(second / 3600, to: 2)):\(Day.padded(second / 60 % 60, to: 2))"
  }
}

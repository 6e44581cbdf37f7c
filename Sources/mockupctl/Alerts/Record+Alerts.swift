internal import MockupClient

// Records of alerts. The names are those of the message's fields; `kind` tells the annual budget
// (year) from the monthly soft limit (month).

extension Record {
  init(_ alert: Alert) {
    self.init([
      "alert_id": .number(alert.alertID),
      "created_at": .time(alert.createdAt),
      "user_id": .text(alert.userID),
      "user_label": .optionalText(alert.userLabel),
      "kind": .text(alert.month == 0 ? "year" : "month"),
      "threshold": .number(alert.threshold),
      "year": .number(alert.year),
      "month": alert.month == 0 ? .nothing : .number(alert.month),
      "credits": .number(alert.credits),
      "limit": .number(alert.limit),
    ])
  }

  /// Creates the row of an alert in a table, with the fields that fit into a line.
  init(row alert: Alert) {
    self.init([
      "created_at": .time(alert.createdAt?.inSeconds),
      "user": .text(alert.userLabel.isEmpty ? alert.userID : alert.userLabel),
      "reached": .text(alert.reached),
      "credits": .number(alert.credits),
      "limit": .number(alert.limit),
    ])
  }
}

extension Record {
  /// Creates the record of an alert in a stream of lines without headings.
  init(line alert: Alert) {
    self.init(row: alert)
    fields =
      fields.dropLast(2) + [
        (name: "", value: .text("\(alert.credits) of \(alert.limit) credits"))
      ]
  }
}

extension Alert {
  /// The threshold and the period, such as `80 % of 2026` or `100 % of 2026-03`.
  fileprivate var reached: String {
    let digits = "\(month)"
    let suffix = month == 0 ? "" : (digits.count == 1 ? "-0" : "-") + digits
    return "\(threshold) % of \(year)\(suffix)"
  }
}

import MockupClient
import Testing

@testable import MockupPages

@Suite struct MarkupTests {
  /// Texts that a page must not interpret.
  ///
  /// The combining mark makes one character of the quote
  /// before it, which an escaping by characters leaves as it is.
  private static let attacks = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'\"&<>",
    "\"\u{301} onerror=alert(1) x=\"\u{301}", "<\u{301}b>", "&\u{301}lt;", "\u{202E}txt.exe",
    "{{frame.title}}", "{{{frame.inlineStyle}}}",
  ]

  @Test func `every scalar that has a meaning is escaped`() {
    #expect(Markup.escaped("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#39;")
    for attack in Self.attacks {
      let escaped = Markup.escaped(attack).unicodeScalars
      for scalar in "<>\"'\u{202E}".unicodeScalars {
        #expect(!escaped.contains(scalar), "\(attack)")
      }
    }
  }

  @Test func `texts of users cannot add elements or attributes to a page`() {
    for attack in Self.attacks {
      let report = Self.report(text: attack)
      for html in [
        UserPage(report).html(in: .page("User", identity: attack)),
        UserPage(report).html(in: .file("User"), as: .file),
        FailurePage(message: attack, advice: attack).html(in: .page(attack)),
        Self.users(search: attack).html(in: .page("Users")),
        Self.stuck(text: attack).html(in: .page("Stuck")),
        ResolvePage(
          reservation: Self.stuck(text: attack).reservations[0].reservation ?? Reservation(),
          userLabel: attack, credits: 1, formToken: attack, now: Timestamp()
        ).html(in: .page("Resolve")),
      ] {
        #expect(Self.elements(html).isSubset(of: Self.known), "\(attack)")
        for name in ["onerror", "script", "onload"] {
          #expect(!Self.attributes(html).contains(name), "\(attack)")
        }
        #expect(!html.unicodeScalars.contains("\u{202E}"))
      }
    }
  }

  @Test func `only pictures with https are shown`() {
    let addresses = [
      ("https://a.example/1.png", true), ("HTTPS://a.example/1.png", true),
      ("http://a.example/1.png", false), ("javascript:alert(1)", false),
      ("data:text/html,x", false), ("//a.example/1.png", false), ("", false),
    ]
    for (address, isShown) in addresses {
      var report = Self.report(text: "x")
      report.mockups.elements[0].thumbnailURL = address
      report.mockups.elements[0].fileURL = address
      let page = UserPage(report)
      #expect(page.html(in: .page("User")).contains("<img ") == isShown, "\(address)")
      #expect(!page.html(in: .file("User"), as: .file).contains("<img "), "\(address)")
    }
  }

  @Test func `a file loads nothing and links to nothing of the console`() {
    let html = UserPage(Self.report(text: "x")).html(in: .file("User"), as: .file)
    for text in ["<link", "src=", "href=\"/", "<script", "<form"] {
      #expect(!html.contains(text), "\(text)")
    }
    #expect(html.contains("<style>"))
  }

  /// The names of the elements of the templates.
  private static let known: Set<String> = [
    "html", "head", "meta", "title", "link", "style", "body", "a", "svg", "defs", "pattern",
    "rect", "header", "p", "nav", "ul", "li", "main", "footer", "div", "h1", "h2", "code", "dl",
    "dt", "dd", "section", "figure", "figcaption", "span", "line", "table", "caption", "thead",
    "tbody", "tr", "th", "td", "form", "label", "input", "select", "option", "button", "img",
    "strong", "wbr", "desc", "text", "polyline", "polygon", "circle", "!doctype",
  ]

  /// Returns the names of the elements of a document, as a parser would find them.
  private static func elements(_ html: String) -> Set<String> {
    var names: Set<String> = []
    let scalars = Array(html.unicodeScalars)
    for (index, scalar) in scalars.enumerated() where scalar == "<" {
      let rest = scalars[(index + 1)...].drop { $0 == "/" }
      let name = rest.prefix { !" />\n".unicodeScalars.contains($0) }
      names.insert(String(String.UnicodeScalarView(name)))
    }
    return names
  }

  /// Returns the names of the attributes, outside of quoted values.
  private static func attributes(_ html: String) -> Set<String> {
    var names: Set<String> = []
    var isInTag = false
    var isQuoted = false
    var name = ""
    for scalar in html.unicodeScalars {
      switch scalar {
      case "<" where !isQuoted: (isInTag, name) = (true, "")
      case ">" where !isQuoted: isInTag = false
      case "\"" where isInTag: isQuoted.toggle()
      case " " where isInTag && !isQuoted, "\n" where isInTag && !isQuoted: name = ""
      case "=" where isInTag && !isQuoted: names.insert(name)
      default: if isInTag, !isQuoted { name.unicodeScalars.append(scalar) }
      }
    }
    return names
  }

  private static func users(search: String) -> UsersPage {
    UsersPage(
      users: [
        UsersPage.User(
          line: UserUsage(userID: search, usage: CreditUsage(), userLabel: search), spent: 1)
      ],
      totals: UsageTotals(), nextToken: search,
      query: UsersQuery(year: 2026, month: 3, search: search, path: PagePath("\(search)~x")),
      today: Day(year: 2026, month: 3, day: 1))
  }

  private static func stuck(text: String) -> StuckPage {
    StuckPage(
      reservations: [
        UnresolvedReservation(
          reservation: Reservation(
            userID: text, reservationID: text, state: .unresolved, held: 2, mockupID: text),
          unresolvedSince: Timestamp(), userLabel: text)
      ], total: 1, path: PagePath("\(text)~x"), nextToken: text, now: Timestamp(), notice: text)
  }

  static func report(text: String) -> UserReport {
    let time = Timestamp(seconds: 1_772_000_000)
    let day = CivilDate(year: 2026, month: 1, day: 1)
    let reservations = UserReport.Part(
      [
        Reservation(
          userID: text, reservationID: text, state: .unresolved, held: 2, createdAt: time,
          expiresAt: time)
      ], nextToken: text)
    return UserReport(
      userID: text, userLabel: text,
      usage: GetCreditUsageResponse(annualBudget: 100, monthlySoftLimit: 10),
      year: 2026, month: 3, now: time,
      days: (0..<365).map {
        UsageInterval(firstDay: CivilDate(dayNumber: (day.dayNumber ?? 0) + $0), used: 1)
      },
      months: (1...12).map {
        UsageInterval(firstDay: CivilDate(year: 2026, month: $0, day: 1), used: 30)
      },
      monthlyHeld: Array(repeating: 0, count: 12), spent: 30,
      open: reservations, pages: UserReport.Pages(ledger: PagePath("\(text)~x")),
      reservations: reservations,
      entries: UserReport.Part([
        CreditUsageEntry(entryID: text, userID: text, reservationID: text, refundedEntryID: text)
      ]),
      mockups: UserReport.Part([
        Mockup(
          mockupID: text, userID: text, scene: text, fileURL: "https://a.example/\(text)",
          thumbnailURL: "https://a.example/\(text)", errorMessage: text)
      ]))
  }
}

import Foundation
import MockupClient
import TestSupport
import Testing

/// The console in a real browser, with a ledger of two years.
///
/// The pictures are in `.build/artefacts/console`.
@Suite struct ConsoleBrowserTests {
  private static let userAddress = "/users/\(PlausibleYear.busiest)"

  private static func withConsole(
    _ body: (RunningConsole, Browser, MockupClient) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      try await PlausibleYear.write(to: database)
      #expect(try await database.discrepancies().isEmpty)
      try await database.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          try await RunningConsole.with(mockupd: server.socket) { console in
            try await Browser.with { browser in
              try await browser.open(try #require(console.link))
              #expect(
                try await browser.run("return document.title") as? String == "Users · mockupd")
              try await body(console, browser, client)
            }
          }
        }
      }
    }
  }

  @Test func `every page is readable on each screen and in both colours`() async throws {
    try await Self.withConsole { console, browser, _ in
      let year = Day.lastYear
      let pages = [
        ("users", "/"), ("user", Self.userAddress),
        ("march", "\(Self.userAddress)?year=\(year)&month=3"), ("stuck", "/stuck"),
        ("search", "/?q=example.com"),
        ("server", "/server"), ("not-found", "/nothing"),
      ]
      for (name, path) in pages {
        for variant in Browser.Variant.allCases {
          try await browser.show(variant)
          try await browser.open("http://\(console.authority)\(path)")
          try await browser.saveScreenshot("\(name)-\(variant.rawValue)")
          let faults = try await browser.run(Self.faultScript) as? [String]
          #expect(faults == [], "\(name), \(variant.rawValue)")
        }
      }
      let refusals = try await browser.messages().filter { $0.contains("Content Security Policy") }
      #expect(refusals.isEmpty)
    }
  }

  /// Each question is answered in the part of the page that is visible without scrolling.
  @Test func `the questions of an administrator are answered at first sight`() async throws {
    try await Self.withConsole { console, browser, _ in
      let questions = [
        ("/", ".lead", "Runs out first: \(PlausibleYear.firstOutLabel), on "),
        ("/stuck", ".lead", "the oldest has been unresolved for 11 days, since "),
        (
          "\(Self.userAddress)?year=\(Day.lastYear)&month=3", "#month-heading + p",
          "above the soft limit of 292"
        ),
      ]
      for variant in [Browser.Variant.light, .phone] {
        try await browser.show(variant)
        for (path, selector, answer) in questions {
          try await browser.open("http://\(console.authority)\(path)")
          let text =
            try await browser.run(
              "return document.querySelector('\(selector)').innerText") as? String
          #expect(text?.contains(answer) == true, "\(path): \(text ?? "")")
          let isVisible =
            try await browser.run(
              """
              const box = document.querySelector('\(selector)').getBoundingClientRect();
              return box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
              """) as? Bool
          #expect(isVisible == true, "\(path) \(variant.rawValue)")
        }
      }
      // The first row of the unresolved reservations is the oldest.
      try await browser.open("http://\(console.authority)/stuck")
      let user =
        try await browser.run(
          "return document.querySelector('tbody tr td.name a').title") as? String
      #expect(user == PlausibleYear.oldestStuck)
    }
  }

  @Test func `a reservation is resolved with two clicks and a number`() async throws {
    try await Self.withConsole { console, browser, client in
      let user = try #require(UUID(wireText: PlausibleYear.oldestStuck))
      let before = try await client.credits.usage(of: user)
      for variant in [Browser.Variant.light, .phone] {
        try await browser.show(variant)
        try await browser.open("http://\(console.authority)/stuck")
        try await browser.click("tbody tr td a[href^='/stuck/']")
        try await browser.saveScreenshot("resolve-\(variant.rawValue)")
        try await browser.type("1", into: "#credits")
        try await browser.click("form button")
        try await browser.saveScreenshot("confirm-\(variant.rawValue)")
        let faults = try await browser.run(Self.faultScript) as? [String]
        #expect(faults == [])
        try await browser.click("button.write")
        try await eventually("the notice is shown") {
          let notice =
            try await browser.run(
              "return document.querySelector('[role=status]')?.innerText") as? String
          return notice?.contains("is committed with 1 credit") == true
        }
      }
      let after = try await client.credits.usage(of: user)
      #expect(after.totalUsed == before.totalUsed + 1)
      #expect(after.held == before.held - 4)
      #expect(try await client.admin.serverInfo().unresolvedReservations == 2)
    }
  }

  /// Returns what is wrong with a page: its structure, its width, and the contrast of its texts.
  private static let faultScript = #"""
    const faults = [];
    const one = selector => {
      const count = document.querySelectorAll(selector).length;
      if (count !== 1) faults.push(`${count} ${selector}`);
    };
    ['html[lang=en]', 'h1', 'main', 'header', 'footer', 'nav[aria-label]', 'a.skip',
      'meta[name=viewport]'].forEach(one);
    if (document.documentElement.scrollWidth > innerWidth)
      faults.push(`the page is ${document.documentElement.scrollWidth} wide`);
    for (const table of document.querySelectorAll('table')) {
      if (!table.caption) faults.push('a table without a caption');
      for (const head of table.querySelectorAll('th'))
        if (!head.scope) faults.push(`a head without a scope: ${head.innerText}`);
    }
    for (const input of document.querySelectorAll('input:not([type=hidden]), select'))
      if (!input.labels.length) faults.push(`an input without a label: ${input.name}`);
    for (const image of document.querySelectorAll('img'))
      if (!image.alt) faults.push('an image without a text');
    for (const svg of document.querySelectorAll('svg')) {
      const name = svg.getAttribute('aria-labelledby');
      if (svg.getAttribute('aria-hidden') !== 'true'
          && !(name && name.split(' ').every(id => document.getElementById(id))))
        faults.push('a picture without a name');
    }
    const ids = [...document.querySelectorAll('[id]')].map(element => element.id);
    if (new Set(ids).size !== ids.length) faults.push('an id is used twice');

    const parse = text => (text.match(/[\d.]+/g) || []).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = element => {
      for (let e = element; e; e = e.parentElement) {
        const color = parse(getComputedStyle(e).backgroundColor);
        if (color.length === 3 || color[3] === 1) return color;
      }
      return [255, 255, 255];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      const isText = !['TITLE', 'title', 'desc', 'STYLE'].includes(element.tagName);
      if (!isText || !walker.currentNode.data.trim()) continue;
      if (!element.getClientRects().length) continue;
      const style = getComputedStyle(element);
      const color = parse(element instanceof SVGElement ? style.fill : style.color);
      const [a, b] = [luminance(color), luminance(ground(element))].sort((x, y) => y - x);
      const contrast = (a + 0.05) / (b + 0.05);
      if (contrast < 4.5)
        faults.push(`${walker.currentNode.data.trim()}: contrast ${contrast.toFixed(2)}`);
    }
    return faults;
    """#
}

/// Days of the test's clock.
private enum Day {
  /// The year before the current one in UTC.
  static var lastYear: Int {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    return calendar.component(.year, from: Date()) - 1
  }
}

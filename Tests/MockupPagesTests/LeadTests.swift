import MockupClient
import MockupPages
import Testing

/// The sentences at the beginning of pages.
@Suite struct LeadTests {
  @Test(arguments: [
    (PagePath(), Int64(0), "No reservation is unresolved."),
    (
      PagePath("token"), Int64(3),
      "This page has no reservations any more; 3 reservations are unresolved."
    ),
  ])
  func `an empty page of unresolved reservations says if there are others`(
    _ path: PagePath, _ total: Int64, _ lead: String
  ) {
    let html = StuckPage(reservations: [], total: total, path: path, now: Timestamp())
      .html(in: .page("Unresolved reservations"))
    #expect(html.contains(lead))
    #expect(html.contains("First page") == !path.token.isEmpty)
  }

  @Test(arguments: [
    (UsersQuery.Order.available, "", "Runs out first: ", "7 users."),
    (.available, "ann", "Runs out first on this page: ", "1 user found; others are not shown."),
    (.used, "", "Runs out first on this page: ", "7 users."),
  ])
  func `the page of users says of which users it speaks`(
    _ order: UsersQuery.Order, _ search: String, _ lead: String, _ caption: String
  ) {
    let line = UserUsage(
      userID: "u", usage: CreditUsage(totalUsed: 90, annualBudget: 100), userLabel: "ann")
    let page = UsersPage(
      users: [UsersPage.User(line: line, spent: 30)], totals: UsageTotals(users: 7), nextToken: "",
      isCut: !search.isEmpty,
      query: UsersQuery(year: 2026, month: 3, order: order, search: search),
      today: Day(year: 2026, month: 3, day: 1))
    let html = page.html(in: .page("Users"))
    #expect(html.contains(lead))
    #expect(html.contains("<caption>\(caption)"))
  }
}

// The table of pages, and what forms say: nothing here needs a disk or a socket.

import Foundation
import Martlet
import TestSupport
import Testing

@testable import martlet_panel

@Suite struct PagesTests {
  private var pages: [Panel.Page] { (0...UInt8.max).compactMap { Panel.Page(rawValue: $0) } }

  @Test("Each page has a path of its own")
  func paths() {
    let paths = pages.map { String(Panel.row(of: $0).path.octets) }
    #expect(Set(paths).count == paths.count, "\(paths)")
    #expect(paths.allSatisfy { $0.hasPrefix("/") })
  }

  @Test("A page with a header, and a page for programs, needs a login; a page without a header does not")
  func access() {
    for page in pages {
      let row = Panel.row(of: page)
      switch row.place {
      case .menu, .menuOfFirstProcess, .below, .program: #expect(row.access != .everyone, "\(page)")
      case .door: #expect(row.access == .everyone, "\(page)")
      case .action: break
      }
    }
  }

  @Test(
    "The menu has overview, history, password, tokens, HTTPS, and the system page in the first process only")
  func menu() {
    let shown = pages.filter { Panel.row(of: $0).isInMenu }
    #expect(shown == [.overview, .history, .password, .tokens, .https])
  }

  @Test("A token enters pages for programs alone, and each page that needs a login names roles")
  func roles() {
    let everybody = Roles.people | .readers | .metricsReaders
    #expect(TokenScope.metrics.roles == .metricsReaders && TokenScope.read.roles == .readers)
    #expect(Account(name: "admin", password: .decoy(iterations: 1)).roles == .people)
    for page in pages {
      let row = Panel.row(of: page)
      switch row.place {
      case .menu, .menuOfFirstProcess, .below:
        #expect(
          row.access == .loggedIn(as: .people)
            || row.access == .freshLogin(within: .minutes(10), as: .people),
          "\(page)")
      case .program:
        let roles = page == .live ? .people : page == .metrics ? everybody : .people | .readers
        #expect(row.access == .loggedIn(as: roles), "\(page)")
      case .door: #expect(row.access == .everyone, "\(page)")
      case .action:
        #expect(
          row.access == .everyone || row.access == .loggedIn(as: .people)
            || row.access == .freshLogin(within: .minutes(10), as: .people), "\(page)")
      }
    }
  }

  @Test("The matrix of the documentation has each page of the table")
  func matrix() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/Martlet/Martlet.docc/RunningInProduction.md")
    let text = try String(contentsOf: file, encoding: .utf8)
    let table = try #require(text.split(separator: "<!-- matrix -->").dropFirst().first)
    for page in pages where page != .apiOther {
      // The hash of a content is another one with each change.
      let path = String(Panel.row(of: page).path.octets).replacing(/-[0-9a-f]{8}\./, with: "-….")
      #expect(table.contains("\(path)` |"), "\(path)")
    }
  }

  @Test("A form that is refused answers 422, and 429 where it is worth while to wait")
  func statuses() {
    let wrong = Problem(.codeWrong, at: .code)
    let early = Problem(.codesTooMany, at: .code, wait: 5)
    #expect(wrong.status == .unprocessableContent)
    #expect(early.status == .tooManyRequests && early.wait == 5)
    #expect(Problem(.codesTooMany, wait: .max).wait == .max)
  }

  @Test(
    "Of what was typed the first 48 octets are shown again, decoded",
    arguments: [
      ("a", "a"), ("a%22b", "a\"b"), ("", ""), ("+a+", " a "),
      (String(repeating: "x", count: 5_000), String(repeating: "x", count: 48)),
      (String(repeating: "%22", count: 5_000), String(repeating: "\"", count: 48)),
    ])
  func starts(_ typed: String, _ shown: String) {
    let start = withGuardedOctets("a=\(typed)") { String(Field.start(of: FormFields($0)["a"]).span) }
    #expect(start == shown)
    let none = withGuardedOctets("b=\(typed)") { Field.start(of: FormFields($0)["a"]).count }
    #expect(none == 0)
  }

  @Test("A notice whose number nobody has given is none")
  func notices() {
    #expect(Notice(rawValue: 0) == nil && Notice(rawValue: -1) == nil && Notice(rawValue: .max) == nil)
    #expect(Notice(rawValue: 1) == .accountCreated && Notice(rawValue: 2) == .passwordChanged)
  }
}

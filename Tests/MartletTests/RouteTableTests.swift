// Tables that compile and cannot be right: the program does not start, and says which page is wrong.

import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@testable import Martlet

/// An application whose table the test writes.
protocol Tabled: Application where Page: CaseIterable {}
extension Tabled {
  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.html("") }
}

enum Three: UInt8, CaseIterable { case first, second, third }

/// The fault of a table, in words.
private func fault<A: Application & ~Copyable>(_ application: A.Type) -> String? {
  do throws(RouteFault) {
    try A.checkRoutes()
    return nil
  } catch {
    let mount = error.mount.map { "\($0)." } ?? ""
    let reason =
      switch error.reason {
      case .pattern(let fault): "\(fault)"
      case .unreachable(let page): "behind \(page)"
      case .mountMalformed: "mount"
      case .numbersSkip: "skip"
      case .capabilityMissing(let name): "\(name)"
      }
    return "\(mount)\(error.page) \(error.path) \(reason)"
  }
}

@Suite("The table of pages")
struct RouteTableTests {
  struct Right: Tabled {
    typealias Page = Three
    static func route(to page: Three) -> Route {
      switch page {
      case .first: .get("/items/new", for: .everyone)
      case .second: .get("/items/<int:id>", for: .everyone)
      case .third: .post("/items/<int:id>", for: .everyone)
      }
    }
  }

  @Test("A narrow path before a wide one, and one path with two methods, are right")
  func right() { #expect(fault(Right.self) == nil) }

  struct Duplicate: Tabled {
    typealias Page = Three
    static func route(to page: Three) -> Route {
      switch page {
      case .first: .get("/a", for: .everyone)
      case .second: .get("/b", for: .everyone)
      case .third: .getAndPost("/a", for: .everyone)
      }
    }
  }

  struct Hidden: Tabled {
    typealias Page = Three
    static func route(to page: Three) -> Route {
      switch page {
      case .first: .get("/", for: .everyone)
      case .second: .get("/<text:word>", for: .everyone)
      case .third: .get("/about", for: .loggedIn)
      }
    }
  }

  struct HiddenByRest: Tabled {
    typealias Page = Three
    static func route(to page: Three) -> Route {
      switch page {
      case .first: .get("/files/<path:rest>", for: .everyone)
      case .second: .get("/files", for: .everyone)
      case .third: .get("/files/<int:id>/size", for: .everyone)
      }
    }
  }

  @Test("A page is never reached behind one that has all of its paths")
  func unreachable() {
    #expect(fault(Duplicate.self) == "2 /a behind 0")
    #expect(fault(Hidden.self) == "2 /about behind 1")
    #expect(fault(HiddenByRest.self) == "2 /files/<int:id>/size behind 0")
  }

  struct Malformed: Tabled {
    typealias Page = Three
    static func route(to page: Three) -> Route {
      switch page {
      case .first: .get("/", for: .everyone)
      case .second: .get("/<integer:id>", for: .everyone)
      case .third: .get("c", for: .everyone)
      }
    }
  }

  struct OwnType: Tabled {
    typealias Page = Three
    static func isType(_ type: Span<UInt8>) -> Bool { type.equals("integer") }
    static func route(to page: Three) -> Route { Malformed.route(to: page) }
  }

  @Test("A malformed path is told with its page; a type of the application is none of the library's")
  func malformed() {
    #expect(fault(Malformed.self) == "1 /<integer:id> typeUnknown")
    #expect(fault(OwnType.self) == "2 c noSlashAtStart")
  }

  enum Skipping: UInt8, CaseIterable {
    case first
    case second = 2
  }
  enum FromOne: UInt8, CaseIterable { case first = 1 }

  struct Skips: Tabled {
    typealias Page = Skipping
    static func route(to page: Skipping) -> Route { .get("/", for: .everyone) }
  }

  struct StartsAtOne: Tabled {
    typealias Page = FromOne
    static func route(to page: FromOne) -> Route { .get("/", for: .everyone) }
  }

  enum Last: UInt8, CaseIterable {
    case first
    case last = 255
  }

  struct SkipsToTheEnd: Tabled {
    typealias Page = Last
    static func route(to page: Last) -> Route { .get("/", for: .everyone) }
  }

  @Test("Numbers of pages that skip are told, wherever they skip")
  func numbers() {
    #expect(fault(Skips.self) == "2  skip")
    #expect(fault(StartsAtOne.self) == "1  skip")
    #expect(fault(SkipsToTheEnd.self) == "255  skip")
  }

  struct Login: Tabled {
    typealias Page = Three
    static func route(to page: Three) -> Route {
      switch page {
      case .first: .get("/", for: .everyone)
      case .second: .get("/own", for: .loggedIn)
      case .third: .get("/third", for: .everyone)
      }
    }
  }

  struct Upload: Tabled {
    typealias Page = Three
    static func route(to page: Three) -> Route {
      switch page {
      case .first: .get("/", for: .everyone)
      case .second: .get("/b", for: .everyone)
      case .third: .upload("/upload", for: .everyone)
      }
    }
  }

  struct Mount: Tabled {
    typealias Page = Three
    static func route(to page: Three) -> Route {
      switch page {
      case .first: .mount("/shop", for: .everyone)
      case .second: .get("/b", for: .everyone)
      case .third: .get("/", for: .everyone)
      }
    }
  }

  struct WithSessions: SessionApplication, Tabled {
    typealias Page = Three
    func user(_ id: UserID) -> Person? { nil }
    static func route(to page: Three) -> Route { Login.route(to: page) }
  }

  /// Sessions alone, where a page asks for a user.
  struct WithoutUsers: SessionApplication, Tabled {
    typealias Page = Three
    static func route(to page: Three) -> Route { Login.route(to: page) }
  }

  struct WithCredentials: CredentialsApplication, Tabled {
    typealias Page = Three
    typealias User = Person
    static func route(to page: Three) -> Route { Login.route(to: page) }
    static var challenge: Challenge { .basic(realm: "") }
    func user(
      for credentials: borrowing Credentials, _ request: borrowing Request<Self>
    ) -> CredentialsCheck<Person> { .wrong }
  }

  @Test("A page that needs a capability is told where the application lacks it")
  func capabilities() {
    #expect(fault(Login.self) == "1 /own SessionApplication or CredentialsApplication with users")
    #expect(fault(WithSessions.self) == nil)
    let forgotten = fault(WithoutUsers.self)
    #expect(forgotten == "1 /own SessionApplication or CredentialsApplication with users")
    #expect(fault(WithCredentials.self) == nil)
    #expect(fault(Upload.self) == "2 /upload UploadApplication")
    #expect(fault(Mount.self) == "0 /shop MountingApplication")
  }

  // MARK: Parts

  class MountedTable {
    class var mount: StaticString { "/shop" }
    class var path: StaticString { "/<int:id>" }
    class var access: Access { .everyone }
    class var isMount: Bool { false }
  }
  final class WithSlash: MountedTable { override class var mount: StaticString { "/shop/" } }
  final class AtRoot: MountedTable { override class var mount: StaticString { "/" } }
  final class WithParameter: MountedTable { override class var mount: StaticString { "/<int:shop>" } }
  final class Duplicated: MountedTable { override class var path: StaticString { "/" } }
  final class PartMalformed: MountedTable { override class var path: StaticString { "/<int:>" } }
  final class MountInPart: MountedTable { override class var isMount: Bool { true } }
  final class PartLogin: MountedTable { override class var access: Access { .loggedIn } }

  struct Mounting<Table: MountedTable>: MountingApplication, Tabled {
    typealias Page = Three
    static func route(to page: Three) -> Route {
      switch page {
      case .first: .get("/", for: .everyone)
      case .second: .mount(Table.mount, for: .everyone)
      case .third: .get("/shopping", for: .everyone)
      }
    }
    static func route(number: UInt8, of mount: Three) -> Route? {
      guard mount == .second else { return nil }
      switch number {
      case 0: return .get("/", for: .everyone)
      case 1: return Table.isMount ? .mount("/x", for: .everyone) : .get(Table.path, for: Table.access)
      default: return nil
      }
    }
  }

  @Test("A part's table is checked too, and its fault named with the page of the mount")
  func parts() {
    #expect(fault(Mounting<MountedTable>.self) == nil)
    #expect(fault(Mounting<WithSlash>.self) == "1 /shop/ mount")
    #expect(fault(Mounting<AtRoot>.self) == "1 / behind 0")
    #expect(fault(Mounting<WithParameter>.self) == "1 /<int:shop> mount")
    #expect(fault(Mounting<Duplicated>.self) == "1.1 / behind 0")
    #expect(fault(Mounting<PartMalformed>.self) == "1.1 /<int:> nameEmpty")
    #expect(fault(Mounting<MountInPart>.self) == "1.1 /x mount")
    #expect(
      fault(Mounting<PartLogin>.self)
        == "1.1 /<int:id> SessionApplication or CredentialsApplication with users")
  }

  struct Below: MountingApplication, Tabled {
    typealias Page = Three
    static func route(to page: Three) -> Route {
      switch page {
      case .first: .mount("/shop", for: .everyone)
      case .second: .get("/shop/about", for: .everyone)
      case .third: .mount("/shop", for: .loggedIn)
      }
    }
    static func route(number: UInt8, of mount: Three) -> Route? { nil }
  }

  @Test("A page below a mount that comes first is never reached")
  func below() { #expect(fault(Below.self) == "1 /shop/about behind 0") }

  // MARK: What a person reads

  @Test("A program whose table has a fault ends with status 1 and one line that names the page")
  func words() async throws {
    let hidden = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      do throws(RouteFault) { try Hidden.checkRoutes() } catch { error.fail("tester") }
    }
    #expect(
      errorText(hidden) == """
        tester: page 2 (/about) is never reached, because page 1 has all of its paths; put the narrower path \
        first.

        """)
    let skips = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      do throws(RouteFault) { try Skips.checkRoutes() } catch { error.fail("tester") }
    }
    #expect(errorText(skips) == "tester: page 2 has a number that skips; pages count 0, 1, 2 ….\n")
    let login = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      do throws(RouteFault) { try Login.checkRoutes() } catch { error.fail("tester") }
    }
    #expect(
      errorText(login)
        == "tester: page 1 (/own) needs an application that is a SessionApplication or CredentialsApplication with users.\n"
    )
    let part = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      do throws(RouteFault) { try Mounting<PartMalformed>.checkRoutes() } catch { error.fail("tester") }
    }
    #expect(errorText(part).hasPrefix("tester: page 1.1 (/<int:>) has a path that is none: "))
  }
}

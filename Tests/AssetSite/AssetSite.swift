// A site with assets and templates of its own, which the plugin compiles for this target. AssetTests asks for its
// pages.

import Martlet

struct AssetSite: SessionApplication {
  struct Person: SessionUser { var id: UserID { "susan" } }

  enum Page: UInt8 {
    case packed, assets, icon, closed, cached, cookie, places, login
    case packedElsewhere, packedClosed, packedCached
  }

  static func route(to page: Page) -> Route {
    switch page {
    case .assets: Assets.route
    case .icon: .get("/icon.png", for: .everyone)
    case .closed: .get("/closed.png", for: .loggedIn)
    case .cached: .get("/cached.png", for: .everyone)
    case .cookie: .get("/cookie.png", for: .everyone)
    case .places: .get("/places", for: .everyone)
    case .login: .getAndPost("/login", for: .everyone)
    case .packed: .get(PackedAssets.plainCss.path, for: .everyone)
    case .packedElsewhere: .get("/plain.css", for: .everyone)
    case .packedClosed: .get("/closed.css", for: .loggedIn)
    case .packedCached: .get("/cached.css", for: .everyone)
    }
  }

  func user(_ id: UserID) -> Person? { Person() }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .assets: return response.asset(from: Assets.self, request)
    case .icon, .closed: return response.asset(Assets.imgDotPng, request)
    case .cached:
      response.cache(forSeconds: 60)
      return response.asset(Assets.imgDotPng, request)
    case .cookie:
      response.setCookie("a", ("b" as StaticString).octets)
      return response.asset(Assets.imgDotPng, request)
    case .places:
      var body = response.body()
      var value = FixedBuffer<4_096>()
      if var decoder = request.query["value"]?.decoder {
        while let octet = decoder.next() { value.append(octet) }
      }
      let list: [2 of Int] = [7, 8]
      Templates.places(to: &body, value: value.span, list: list.span, isShown: request.query["shown"] != nil)
      return body.end()
    case .login: return response.login(Person())
    case .packed, .packedElsewhere, .packedClosed: return response.asset(PackedAssets.plainCss, request)
    case .packedCached:
      response.cache(forSeconds: 60)
      return response.asset(PackedAssets.imgABSvg, request)
    }
  }
}

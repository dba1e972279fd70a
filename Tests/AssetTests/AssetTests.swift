// What clients get of the assets of AssetSite.

import Foundation
import Martlet
import MartletTesting
import TestSupport
import Testing

@testable import AssetSite

@Suite struct AssetTests {
  let client = TestClient(AssetSite())
  let gzip = [("Accept-Encoding", "gzip, br")]

  @Test("The path of an asset has the hash of its content, and the answer may be kept for a year")
  func hashedPath() {
    let path = Assets.styleCss.path.description
    #expect(path.hasPrefix("/assets/style-") && path.hasSuffix(".css") && path.count == 26)
    let response = client.get(path)
    #expect(response.status == .ok && response.body.hasPrefix("/* \" \\(x) \\ é */\n.c0 {"))
    #expect(response.header("Content-Type") == "text/css; charset=utf-8")
    #expect(response.header("Cache-Control") == "public, max-age=31536000, immutable")
    #expect(response.header("Vary") == "Accept-Encoding")
    #expect(response.header("Content-Encoding") == nil)
    #expect(response.header("Content-Length") == "\(Assets.styleCss.content.count)")
    #expect(response.values(of: "X-Content-Type-Options") == ["nosniff"])
    #expect(response.setCookies == [])
  }

  @Test("A client that accepts gzip gets gzip, under an entity tag of its own")
  func negotiation() {
    let path = Assets.styleCss.path.description
    let response = client.get(path, headers: gzip)
    #expect(response.header("Content-Encoding") == "gzip" && response.header("Vary") == "Accept-Encoding")
    #expect(response.header("Content-Length") == "\(Assets.styleCss.gzip.count)")
    #expect(Assets.styleCss.gzip.count * 10 <= Assets.styleCss.content.count * 9)
    #expect([UInt8](Assets.styleCss.gzip.octets()).starts(with: [0x1F, 0x8B, 8]))
    let plain = client.get(path).header("ETag")
    #expect(plain != nil && response.header("ETag") != plain)
    for refused in ["identity", "gzip;q=0", "br", "gzip;q=0.5, identity"] {
      let response = client.get(path, headers: [("Accept-Encoding", refused)])
      #expect(response.header("Content-Encoding") == nil, "\(refused)")
    }
  }

  @Test("What gzip does not make smaller is never sent in gzip, and does not vary")
  func incompressible() {
    let response = client.get(Assets.imgDotPng.path.description, headers: gzip)
    #expect(response.status == .ok && response.header("Content-Encoding") == nil)
    #expect(response.header("Vary") == nil && response.header("Content-Type") == "image/png")
    #expect(response.header("Content-Length") == "160")
    #expect(
      [UInt8](Assets.imgDotPng.content.octets()).starts(
        with: Array("\u{89}PNG".unicodeScalars.map { UInt8($0.value) })))
  }

  @Test("A client whose copy is current gets 304 without content, in the coding that the tag is of")
  func notModified() throws {
    let path = Assets.styleCss.path.description
    for coding in [[], gzip] {
      let tag = try #require(client.get(path, headers: coding).header("ETag"))
      let response = client.get(path, headers: coding + [("If-None-Match", "\"x\", W/\(tag)")])
      #expect(response.status == .notModified && response.body == "" && response.header("ETag") == tag)
      #expect(response.header("Cache-Control") == "public, max-age=31536000, immutable")
      #expect(response.header("Vary") == "Accept-Encoding")
      let other = client.get(path, headers: coding + [("If-None-Match", "\"x\"")])
      #expect(other.status == .ok)
    }
    let plain = try #require(client.get(path).header("ETag"))
    #expect(client.get(path, headers: gzip + [("If-None-Match", plain)]).status == .ok)
  }

  @Test("A condition that is false gets 412")
  func precondition() {
    let response = client.get(Assets.styleCss.path.description, headers: [("If-Match", "\"x\"")])
    #expect(response.status == .preconditionFailed && response.header("Cache-Control") == "no-store")
  }

  @Test("HEAD has the headers of GET and no content")
  func head() {
    let path = Assets.styleCss.path.description
    let (head, get) = (client.request("HEAD", path, headers: gzip), client.get(path, headers: gzip))
    #expect(head.status == .ok && head.body == "")
    for name in ["Content-Length", "ETag", "Content-Type", "Content-Encoding", "Cache-Control"] {
      #expect(head.header(name) == get.header(name), "\(name)")
    }
  }

  @Test("POST is refused")
  func post() {
    let response = client.request("POST", Assets.styleCss.path.description)
    #expect(response.status == .methodNotAllowed)
  }

  @Test("Under the name of its file an asset is asked for each time")
  func plainName() {
    for path in ["/assets/style.css", "/assets/img/dot.png", "/icon.png"] {
      let response = client.get(path)
      #expect(response.status == .ok && response.header("Cache-Control") == "no-cache", "\(path)")
      #expect(response.header("ETag") != nil)
    }
  }

  @Test(
    "Other paths lead to no asset",
    arguments: [
      "", "x", "style", "style.cs", "style.css.gz", "Style.css", "style-00000000.css",
      "img", "img/", "dot.png", "%73tyle.css", "style.css%00", "style.css/", "%2e%2e/style.css",
    ])
  func otherPaths(_ rest: String) {
    let status = client.get("/assets/" + rest).status
    #expect(status == .notFound || status == .badRequest, "\(rest): \(status)")
  }

  @Test("A file of several pieces is sent whole")
  func pieces() throws {
    let constant = Assets.largeBin.content
    #expect(constant.count > 2 * ConstantOctets.pieceSize)
    let file = #filePath.replacing("AssetTests/AssetTests.swift", with: "AssetSite/Assets/large.bin")
    let octets = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
    #expect(octets[0] == 0xFF && constant.octets(from: 1).count == ConstantOctets.pieceSize - 1)
    let response = client.get(Assets.largeBin.path.description)
    #expect(response.header("Content-Length") == "\(octets.count)")
    #expect(response.body == String(decoding: octets, as: UTF8.self))
    #expect(client.get("/icon.png").status == .ok, "the next response begins where it should")
  }

  @Test("An empty file is an asset")
  func empty() {
    let response = client.get(Assets.emptyJson.path.description, headers: gzip)
    #expect(response.status == .ok && response.header("Content-Length") == "0")
    #expect(response.header("Content-Type") == "application/json")
    #expect(client.get("/").status == .notFound, "the connection goes on")
  }

  @Test("An asset on a page for users, or with a cookie, is kept by no cache")
  func ownPages() {
    #expect(client.get("/closed.png").location == "/login?next=/closed.png")
    _ = client.post("/login", form: [])
    #expect(client.get("/closed.png").header("Cache-Control") == "no-store")
    let withCookie = client.get("/cookie.png")
    #expect(withCookie.header("Cache-Control") == "no-store" && withCookie.setCookies.count == 1)
    #expect(client.get("/cached.png").header("Cache-Control") == "public, max-age=60")
  }
}

// What clients get of the packed assets of AssetSite.

import Foundation
import Martlet
import MartletTesting
import TestSupport
import Testing

@testable import AssetSite

/// A file of a folder PackedAssets.
private func file(_ path: String) throws -> [UInt8] {
  let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  return [UInt8](try Data(contentsOf: tests.appendingPathComponent(path)))
}

@Suite struct PackedAssetTests {
  let client = TestClient(AssetSite())
  let gzip = [("Accept-Encoding", "gzip, br")]

  @Test("A client that accepts gzip gets what the program has, and may keep it for a year")
  func compressed() {
    let path = PackedAssets.plainCss.path.description
    #expect(path.hasPrefix("/assets/plain-") && path.hasSuffix(".css") && path.count == 26)
    let response = client.get(path, headers: gzip)
    #expect(response.status == .ok && response.header("Content-Encoding") == "gzip")
    #expect(response.header("Content-Type") == "text/css; charset=utf-8")
    #expect(response.header("Content-Length") == "\(PackedAssets.plainCss.gzip.count)")
    #expect(response.header("Cache-Control") == "public, max-age=31536000")
    #expect(response.header("Vary") == "Accept-Encoding" && response.setCookies == [])
  }

  @Test("A client that does not accept gzip gets the file itself")
  func unpacked() throws {
    let content = String(decoding: try file("AssetSite/PackedAssets/plain.css"), as: UTF8.self)
    for field in [[], [("Accept-Encoding", "identity")], [("Accept-Encoding", "gzip;q=0, br")]] {
      let response = client.get(PackedAssets.plainCss.path.description, headers: field)
      #expect(response.status == .ok && response.body == content)
      #expect(response.header("Content-Encoding") == nil && response.header("Vary") == "Accept-Encoding")
      #expect(response.header("Content-Length") == "\(content.utf8.count)")
      #expect(response.header("Cache-Control") == "public, max-age=31536000")
    }
    let head = client.request("HEAD", PackedAssets.plainCss.path.description)
    #expect(head.header("Content-Length") == "\(content.utf8.count)" && head.body.isEmpty)
  }

  @Test("At another path, and for those who are logged in, nothing is kept unless the page says so")
  func elsewhere() {
    let client = TestClient(AssetSite())
    #expect(client.get("/plain.css").header("Cache-Control") == "no-store")
    #expect(client.get("/closed.css").status == .found)
    #expect(client.get("/login").status == .found)
    #expect(client.get("/closed.css", headers: gzip).header("Cache-Control") == "no-store")
    let cached = client.get("/cached.css")
    #expect(cached.header("Cache-Control") == "public, max-age=60")
    #expect(cached.header("Content-Type") == "image/svg+xml" && cached.body.hasPrefix("<svg "))
  }
}

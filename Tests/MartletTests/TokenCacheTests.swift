// Tokens that have been verified are remembered; nothing may follow from that but time saved.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

@Suite struct TokenCacheTests {
  let claims = "{\"_user_id\":\"user001\",\"_fresh\":true,\"_session\":0,\"color\":\"red\""

  @Test("A remembered token brings the same session, and a change of it a new token")
  func sameSession() {
    let (client, directory) = makeClient()
    client.sign("session", claims + "}")
    directory.change = { session in
      let color: Text<8>? = session.text(of: "color")
      directory.members.append(color == "red" ? "red" : "-")
    }
    for _ in 0..<3 { #expect(client.get("/members").status == .ok) }
    #expect(directory.members == ["red", "red", "red"])
    directory.change = { $0.set("color", text: [UInt8]("blue".utf8).span) }
    _ = client.get("/members")
    #expect(client.claims("session")?.contains("\"color\":\"blue\"") == true)
    #expect(client.get("/fresh").status == .ok)
  }

  @Test("Times are judged each time: a remembered token expires, and is not valid too early")
  func times() {
    let (client, _) = makeClient()
    client.sign("session", claims + ",\"exp\":1800000100}")
    #expect(client.get("/").status == .ok)
    client.time += 99
    #expect(client.get("/").status == .ok)
    client.time += 1
    #expect(client.get("/").status == .found)
    client.sign("session", claims + ",\"nbf\":1800000100}")
    #expect(client.get("/").status == .ok)
    client.time -= 1
    #expect(client.get("/").status == .found)
  }

  @Test("A remembered token is worth nothing once its epoch has ended, or its user is gone")
  func ended() {
    let (client, directory) = makeClient()
    client.sign("session", claims + "}")
    #expect(client.get("/").status == .ok)
    directory.people[0].epoch += 1
    #expect(client.get("/").status == .found)
    directory.people[0].epoch -= 1
    client.sign("session", claims + "}")
    #expect(client.get("/").status == .ok)
    directory.people.removeAll()
    #expect(client.get("/").status == .found)
  }

  @Test("What one secret has verified is nothing to another secret")
  func otherSecret() {
    let (client, _) = makeClient()
    client.sign("session", claims + "}")
    #expect(client.get("/").status == .ok)
    let other = TestClient(Site<Strict>(directory: Directory()), secret: "another secret!")
    other.sign("session", claims + "}")
    #expect(other.get("/").status == .found, "it was signed with the first one")
  }

  @Test("A token that differs in one octet from a remembered one is not that one")
  func everyOctet() {
    let (client, _) = makeClient()
    client.sign("session", claims + "}")
    #expect(client.get("/").status == .ok)
    let good = [UInt8](client.cookies["session"]!.utf8)
    for i in good.indices {
      var bad = good
      bad[i] = bad[i] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      client.cookies.set("session", String(decoding: bad, as: UTF8.self), path: "/")
      #expect(client.get("/").status == .found, "octet \(i)")
      client.cookies.set(
        "session", String(decoding: good.prefix(i), as: UTF8.self), path: "/")
      #expect(client.get("/").status == .found, "only \(i) octets")
    }
    client.cookies.set("session", String(decoding: good, as: UTF8.self), path: "/")
    #expect(client.get("/").status == .ok)
  }

  @Test("More tokens than are remembered, and longer ones, are good all the same")
  func many() {
    let (client, _) = makeClient()
    for round in 0..<2 {
      for i in 0..<3 * Limits.rememberedTokenCountMax {
        client.sign("session", claims + ",\"n\":\(i)}")
        #expect(client.get("/").status == .ok, "round \(round), \(i)")
      }
    }
    client.sign("session", claims + ",\"long\":\"\(String(repeating: "x", count: 1_000))\"}")
    for _ in 0..<2 { #expect(client.get("/").status == .ok) }
  }

  @Test("A remember token is no session, however often it comes")
  func purpose() {
    let (client, _) = makeClient()
    client.sign("session", claims + ",\"_remember\":0}")
    for _ in 0..<2 { #expect(client.get("/").status == .found) }
  }
}

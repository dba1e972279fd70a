// swift-tools-version: 6.2
// A package of somebody else's that uses Martlet and the heap; Tests/Boards/test_heap.py builds it.
import PackageDescription

let package = Package(
  name: "heap",
  dependencies: [.package(name: "martlet", path: "@martlet@")],
  targets: [
    .executableTarget(name: "heap", dependencies: [.product(name: "Martlet", package: "martlet")])
  ]
)

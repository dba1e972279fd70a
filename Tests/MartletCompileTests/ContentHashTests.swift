import Testing

@testable import MartletCompile

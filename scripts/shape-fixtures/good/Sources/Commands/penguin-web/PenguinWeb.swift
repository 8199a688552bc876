import API

@main
struct PenguinWeb {
    static func main() {
        print("Penguin listens on http://127.0.0.1:8080")
    }
}

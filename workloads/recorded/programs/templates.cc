// Something for a compiler to do: templates that unfold, containers, a closure.
#include <map>
#include <string>
#include <vector>

template <unsigned Depth>
struct Shape : Shape<Depth - 1> {
  std::map<std::string, std::vector<Shape<Depth - 1>>> parts;
  template <class Visit>
  auto each(Visit visit) const {
    std::vector<decltype(visit(std::string()))> all;
    for (const auto &part : parts) all.push_back(visit(part.first));
    return all;
  }
};
template <>
struct Shape<0> {
  virtual ~Shape() = default;
  virtual int area() const { return 1; }
};

template <class... Types>
struct Tuple;
template <>
struct Tuple<> {
  static constexpr int weight = 0;
};
template <class First, class... Rest>
struct Tuple<First, Rest...> : Tuple<Rest...> {
  First value;
  static constexpr int weight = sizeof(First) + Tuple<Rest...>::weight;
};

using Many = Tuple<int, char, double, std::string, Shape<3>, Tuple<long, float, Shape<5>>, std::vector<Shape<2>>>;

int main(int count, char **words) {
  Shape<9> shape;
  auto names = shape.each([](std::string name) { return name + "!"; });
  auto lengths = shape.each([](std::string name) { return name.size(); });
  return count + static_cast<int>(names.size() + lengths.size()) + Many::weight + (words[0] != nullptr);
}

using System.Text;
using Monolith.Serving.Api;

namespace Monolith.Serving.Tests.Api;

public sealed class ScoreRequestSizeTests
{
    [Theory]
    [InlineData("{}", 0, 0)]
    [InlineData("""{"request_id":"r","candidates":[{"item_id":"a"},{"item_id":"b","features":{"x":[1,2],"y":null}}]}""", 2, 6)]
    [InlineData("""{"candidates":[{},{},null,3,[{}]],"shared":{"candidates":["a","b"]}}""", 5, 4)]
    [InlineData("""{"candidates":[{},{},{"a" """, 3, 0)]
    [InlineData("""{"shared":{"\ud800":1},"candidates":[{}]}""", 1, 1)]
    public void Candidates_and_values_are_counted_as_far_as_it_is_json(string json, int candidates, int values) =>
        Assert.Equal(new ScoreRequestSize(candidates, values), ScoreRequestSize.Of(Encoding.UTF8.GetBytes(json)));
}

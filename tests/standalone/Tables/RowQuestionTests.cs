using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Tables;

namespace Monolith.Standalone.Tests.Tables;

public sealed class RowQuestionTests
{
    private static readonly ModelSpec Spec = ModelSpecFile.Parse(
        """
        model: shop
        partition_by: user
        shards: 2
        tables:
          - name: users
            segments: [ { dimension: 1, optimizer: { kind: ftrl, learning_rate: 0.5 } }, { dimension: 2, optimizer: { kind: sgd, learning_rate: 0.1 } } ]
          - name: items
            segments: [ { dimension: 1, optimizer: { kind: ftrl, learning_rate: 0.5 } }, { dimension: 2, optimizer: { kind: sgd, learning_rate: 0.1 } } ]
        features:
          - { name: user, kind: categorical, table: users }
          - { name: tags, kind: categorical, separator: "|", table: items }
          - { name: price, kind: categorical, bucketize: { kind: log2, per_octave: 1 }, table: items }
          - { name: user_x_price, kind: cross, of: [user, price], table: items }
          - { name: again, kind: categorical, source: user, table: users }
          - { name: user_x_again, kind: cross, of: [user, again], table: items }
          - { name: age, kind: numeric }
        network: { kind: deepfm, hidden: [4] }
        tasks: [ { name: click, label: click, base_rate: 0.5 } ]
        """,
        "shop.yaml");

    [Fact]
    public void A_value_becomes_the_id_that_its_events_learn_from()
    {
        Assert.Equal(new RowQuestion(0, FeatureId.Of(FeatureId.Salt("user"), "u1")), Ask("user", ["u1"]));
        Assert.Equal(new RowQuestion(1, FeatureId.Of(FeatureId.Salt("tags"), "red")), Ask("tags", ["red"]));
        var bucket = FeatureId.Of(FeatureId.Salt("price"), 4L);
        Assert.Equal(new RowQuestion(1, bucket), Ask("price", ["20"]));
        var cross = FeatureId.Cross(
            FeatureId.Cross(FeatureId.Salt("user_x_price"), FeatureId.Of(FeatureId.Salt("user"), "u1")), bucket);
        Assert.Equal(new RowQuestion(1, cross), Ask("user_x_price", ["u1", "20"]));
        Assert.Equal(new RowQuestion(1, ulong.MaxValue), RowQuestion.Of(Spec, null, [], "items", "18446744073709551615"));
    }

    [Fact]
    public void What_names_no_row_is_refused_with_what_is_allowed()
    {
        Refused("by 'feature' and 'value', or by 'table' and 'id'", null, [], null, null);
        Refused("by 'feature' and 'value', or by 'table' and 'id'", "user", ["u"], "users", null);
        Refused("there is user, tags, price, user_x_price, again, user_x_again", "usr", ["u"], null, null);
        Refused("there is user, tags, price, user_x_price, again, user_x_again", "age", ["3"], null, null);
        Refused("takes one 'value'; 0 were given", "user", [], null, null);
        Refused("made of user and price: it takes 'value' 2 times", "user_x_price", ["u"], null, null);
        Assert.Equal(Ask("user_x_again", ["u", "u"]), Ask("user_x_again", ["u", "u"]));
        Refused("takes the field 'user' more than once; 'u' and 'v' were given", "user_x_again", ["u", "v"], null, null);
        Refused("is 2 values of feature 'tags'", "tags", ["red|blue"], null, null);
        Refused("is 0 values of feature 'user'", "user", [""], null, null);
        Refused("a finite number", "price", ["cheap"], null, null);
        Refused("there is users, items", null, [], "user", "1");
        Refused("allowed is 0 to 18446744073709551615", null, [], "users", "-1");
    }

    private static RowQuestion Ask(string feature, string[] values) => RowQuestion.Of(Spec, feature, values, null, null);

    private static void Refused(string expected, string? feature, string[] values, string? table, string? id)
    {
        var exception = Assert.Throws<UsageException>(() => RowQuestion.Of(Spec, feature, values, table, id));
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }
}

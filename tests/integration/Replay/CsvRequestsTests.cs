using System.Text;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Standalone.Replay;

namespace Monolith.Integration.Tests.Replay;

public sealed class CsvRequestsTests : IDisposable
{
    private const string Rows = """
        ts,user,session,item,pos,price,click
        100,ann,s1,7,1,12.5,0
        100,ann,s1,8,2,,1
        101,bob,s2,7,1,3,0
        102,ann,s1,9,1,4,1

        """;

    private readonly Files _files = new();

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("data.csv")]
    [InlineData("data.csv.gz")]
    public void Consecutive_rows_with_equal_request_columns_are_one_request(string name)
    {
        using var requests = new CsvRequests(Files.Spec, _files.Write(Rows, name), 0, _ => true);
        var first = requests.Read()!.Value;
        Assert.Equal((0, 2), (first.First, first.Next));
        Assert.Equal("s1/100", first.Group.RequestId);
        Assert.Equal(100_000, first.Group.EventTimeMs);
        Assert.Equal("ann", first.Group.Shared["user"].Text);
        Assert.Equal(["7", "8"], first.Group.Examples.Select(e => e.ItemId));
        Assert.Equal(["1", "2"], first.Group.Examples.Select(e => e.Features["pos"].Text));
        Assert.Equal([0f, 1f], first.Group.Examples.Select(e => e.Labels[0].Value));
        Assert.False(first.Group.Examples[1].Features.ContainsKey("price"));
        Assert.Equal((2, 3), Ends(requests.Read()));
        Assert.Equal((3, 4), Ends(requests.Read()));
        Assert.Null(requests.Read());
    }

    [Fact]
    public void Without_request_and_time_each_row_is_a_request_and_the_rows_are_a_second_apart()
    {
        var spec = Files.Spec with { PartitionBy = "user", Source = new SourceSpec { Item = "item" } };
        using var requests = new CsvRequests(spec, _files.Write(Rows), 0, _ => true);
        var all = new List<(string, long, long, long)>();
        while (requests.Read() is var (first, next, group))
        {
            all.Add((group.RequestId, first, next, group.EventTimeMs));
        }

        Assert.Equal([("1", 0, 1, 1000), ("2", 1, 2, 2000), ("3", 2, 3, 3000), ("4", 3, 4, 4000)], all);
    }

    [Fact]
    public void Spellings_of_missing_values_read_as_empty_fields_and_labels_are_true_or_yes_too()
    {
        var spec = Files.Spec with { Source = Files.Spec.Source! with { Missing = ["NULL", "\\N"] } };
        using var requests = new CsvRequests(
            spec, _files.Write(Files.Header + "\n1,ann,s,NULL,1,\\N,Yes\n1,ann,s,8,NULL,2,FALSE\n1,ann,s,8,1,1,NULL\n"), 0, _ => true);
        var examples = requests.Read()!.Value.Group.Examples;
        Assert.Equal(["1", "8", "8"], examples.Select(e => e.ItemId));
        Assert.False(examples[0].Features.ContainsKey("item"));
        Assert.False(examples[0].Features.ContainsKey("price"));
        Assert.False(examples[1].Features.ContainsKey("pos"));
        Assert.Equal([(true, 1f), (true, 0f), (false, 0f)], examples.Select(e => (e.Labels[0].Present, e.Labels[0].Value)));
    }

    [Fact]
    public void Partitions_share_the_requests_among_them_and_offsets_are_row_numbers()
    {
        var path = _files.Write(Rows);
        var seen = new List<(long, long)>();
        for (var p = 0; p < 2; p++)
        {
            var partition = p;
            using var requests = new CsvRequests(Files.Spec, path, 0, v => Partitioner.Of(v, 2) == partition);
            while (requests.Read() is { } request)
            {
                Assert.Equal(partition, Partitioner.Of(request.Group.Shared["user"].Text, 2));
                seen.Add((request.First, request.Next));
            }
        }

        Assert.Equal([(0, 2), (2, 3), (3, 4)], seen.Order());
    }

    [Fact]
    public void Reading_goes_on_at_an_offset()
    {
        using var requests = new CsvRequests(Files.Spec, _files.Write(Rows), 2, _ => true);
        Assert.Equal(2, requests.Position);
        Assert.Equal((2, 3), Ends(requests.Read()));
    }

    [Fact]
    public void A_missing_column_is_named_with_its_reader_and_the_columns_there_are()
    {
        var message = Fails("ts,user,session,item,pos,click\n1,a,s,7,1,0\n");
        Assert.Contains("no column 'price'", message);
        Assert.Contains("feature 'price'", message);
        Assert.Contains("ts, user, session, item, pos, click", message);
    }

    [Theory]
    [InlineData("1,a,s,7,1,cheap,0", "line 2, column 'price': 'cheap' is not a number")]
    [InlineData("noon,a,s,7,1,3,0", "column 'ts': 'noon' is not a time in seconds")]
    [InlineData("NaN,a,s,7,1,3,0", "column 'ts': 'NaN' is not a time in seconds")]
    [InlineData("1541548955000,a,s,7,1,3,0", "source.time_unit says which")]
    [InlineData("1,a,s,7,1,3,maybe", "column 'click': 'maybe' is not 0 or 1, true or false")]
    [InlineData("1,a,s,7,1,3,0.5", "column 'click': '0.5' is not 0 or 1")]
    [InlineData("1,a,s,7,1,3,0\n1,b,s,7,1,3,0", "line 3: 'b' in column 'user', which must be the same all over a request")]
    [InlineData("1,\"a\nb\",s,7,1,3,0\n2,a,s,7,1,x,0", "line 4, column 'price'")]
    public void A_bad_value_is_named_with_its_row_and_column(string row, string expected) =>
        Assert.Contains(expected, Fails($"{Files.Header}\n{row}\n"));

    [Fact]
    public void A_torn_last_row_is_reported_after_the_whole_ones_were_read()
    {
        using var requests = new CsvRequests(Files.Spec, _files.Write(Rows + "103,ann,s1,9"), 0, _ => true);
        Assert.NotNull(requests.Read());
        Assert.NotNull(requests.Read());
        var error = Assert.Throws<DataFileException>(() => requests.Read());
        Assert.Contains("line 6 has 4 of 7 fields", error.Message);
    }

    [Theory]
    [InlineData("#", "#1")]
    [InlineData("#", "\"#1\"")]
    [InlineData("", "#")]
    public void Rows_that_begin_with_a_number_sign_are_rows(string mark, string first)
    {
        var spec = Files.Spec with { Source = Files.Spec.Source! with { Time = null, Request = [] } };
        var header = mark + "x,ts,user,session,item,pos,price,click\n";
        using var requests = new CsvRequests(
            spec, _files.Write(header + $"{first},1,ann,s,7,1,1,0\na,1,ann,s,7,1,1,0\n{first},1,ann,s,7,1,1,0\n"), 0, _ => true);
        Assert.Equal([(0, 1), (1, 2), (2, 3)], new[] { Ends(requests.Read()), Ends(requests.Read()), Ends(requests.Read()) });
        Assert.Null(requests.Read());
    }

    [Fact]
    public void A_file_that_is_not_UTF_8_is_refused_with_its_line()
    {
        var text = Files.Header + "\n1,ann,s,7,1,1,0\n1,Zo\u00eb,s,7,1,1,0\n";
        Assert.Contains("data.csv, line 3 is not UTF-8 (byte 0xeb)", FailsBytes(Encoding.Latin1.GetBytes(text)), StringComparison.Ordinal);
        Assert.Contains("is UTF-16 text", FailsBytes([0xff, 0xfe, .. Encoding.Unicode.GetBytes(text)]), StringComparison.Ordinal);
        Assert.Contains("line 1 holds a zero byte", FailsBytes(Encoding.Unicode.GetBytes(Files.Header)), StringComparison.Ordinal);
        Assert.Contains("line 2 holds a zero byte", FailsBytes(Encoding.UTF8.GetBytes(Files.Header + "\n1,a\0\n")), StringComparison.Ordinal);
        Assert.Contains("is not UTF-8", FailsBytes([.. Encoding.UTF8.GetBytes(Files.Header + "\n1,ann"), 0xc3]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PK\u0003\u0004abc", "a zip archive")]
    [InlineData("PAR1abc", "a Parquet file")]
    [InlineData("{\"user\": 1}", "JSON lines")]
    public void Another_format_is_named(string content, string expected) =>
        Assert.Contains(expected, Fails(content), StringComparison.Ordinal);

    [Fact]
    public void UTF_8_is_read_as_it_stands_with_or_without_its_mark_wherever_a_block_ends()
    {
        var user = string.Concat(Enumerable.Repeat("a\u00e9\u20ac\ud83d\ude00", 9));
        var rows = string.Concat(Enumerable.Repeat($"1,{user},s,7,1,1,0\n", 3_000));
        using var requests = new CsvRequests(Files.Spec, _files.Write("\ufeff" + Files.Header + "\n" + rows), 0, _ => true);
        var group = requests.Read()!.Value.Group;
        Assert.Equal((3_000, user), (group.Examples.Count, group.Shared["user"].Text));
    }

    [Fact]
    public void A_quote_that_is_never_closed_is_refused() => Assert.Contains(
        "line 1 or 2: the row has more than", Fails(Files.Header + "\n1,\"ann" + new string('x', CsvRows.RowMax)), StringComparison.Ordinal);

    [Fact]
    public void Two_columns_of_one_name_are_refused() =>
        Assert.Contains("two columns 'user'", Fails("ts,user,user,session,item,pos,price,click\n"));

    [Fact]
    public void Values_come_out_as_they_stand_also_when_a_column_has_more_than_are_remembered()
    {
        var rows = string.Concat(Enumerable.Range(0, 10_000).Select(i => $"{i},\"u, {i % 5000}\",s{i},i{i},{i % 7},{i},{i % 2}\n"));
        using var requests = new CsvRequests(Files.Spec, _files.Write(Files.Header + "\n" + rows), 0, _ => true);
        for (var i = 0; i < 10_000; i++)
        {
            var group = requests.Read()!.Value.Group;
            Assert.Equal(($"u, {i % 5000}", $"i{i}", $"{i % 7}"), (group.Shared["user"].Text, group.Examples[0].ItemId, group.Shared["pos"].Text));
            Assert.Equal(i % 2, group.Examples[0].Labels[0].Value);
        }

        Assert.Null(requests.Read());
    }

    [Fact]
    public void A_torn_gzip_file_is_reported()
    {
        var whole = File.ReadAllBytes(_files.Write(Rows, "data.csv.gz"));
        var path = Path.ChangeExtension(_files.Write(Rows), ".torn.csv.gz");
        File.WriteAllBytes(path, whole[..(whole.Length / 2)]);
        Assert.Throws<DataFileException>(() =>
        {
            using var requests = new CsvRequests(Files.Spec, path, 0, _ => true);
            while (requests.Read() is not null)
            {
            }
        });
    }

    [Fact]
    public void Empty_and_missing_files_say_so()
    {
        Assert.Contains("is empty", Fails(string.Empty));
        Assert.Contains("no rows", Fails(Files.Header + "\n"));
        var error = Assert.Throws<DataFileException>(() => new CsvRequests(Files.Spec, "/nowhere/data.csv", 0, _ => true));
        Assert.Contains("does not exist", error.Message);
    }

    [Fact]
    public void A_file_shorter_than_what_was_learned_from_it_is_refused()
    {
        var error = Assert.Throws<DataFileException>(() => new CsvRequests(Files.Spec, _files.Write(Rows), 9, _ => true));
        Assert.Contains("4 rows but 9 were learned", error.Message);
    }

    private static (long, long) Ends((long First, long Next, ExampleGroup Group)? request) =>
        (request!.Value.First, request.Value.Next);

    private string FailsBytes(byte[] content)
    {
        var path = _files.Write("");
        File.WriteAllBytes(path, content);
        return Assert.Throws<DataFileException>(() =>
        {
            using var requests = new CsvRequests(Files.Spec, path, 0, _ => true);
            while (requests.Read() is not null)
            {
                // Until it fails.
            }
        }).Message;
    }

    private string Fails(string content) => Assert.Throws<DataFileException>(() =>
    {
        using var requests = new CsvRequests(Files.Spec, _files.Write(content), 0, _ => true);
        while (requests.Read() is not null)
        {
        }
    }).Message;
}

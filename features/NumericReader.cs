using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;

namespace Monolith.Features;

/// <summary>Turns the raw value of one numeric feature into the network's input.</summary>
internal sealed class NumericReader(NumericFeature feature)
{
    /// <summary>The field the value comes from.</summary>
    public string Source => feature.Source;

    /// <summary>
    /// The number after its transforms, which may be infinite; 0 for a missing or empty value. The extractor bounds it.
    /// </summary>
    /// <exception cref="FeatureException">The value is not a finite number.</exception>
    public double Read(FeatureValue? value) => value?.KindCase switch
    {
        null or FeatureValue.KindOneofCase.None => 0,
        FeatureValue.KindOneofCase.Text when value.Text.Length == 0 => 0,
        _ => Transform(RawNumber.Of(feature.Name, value)),
    };

    private double Transform(double x)
    {
        foreach (var transform in feature.Transforms)
        {
            x = transform switch
            {
                LogTransform => Math.CopySign(Math.Log(1 + Math.Abs(x)), x),
                StandardizeTransform s => (x - s.Mean) / s.Deviation,
                ClipTransform c => Math.Min(Math.Max(x, c.Low), c.High),
                _ => throw new NotSupportedException($"Unknown transform {transform.GetType().Name}"),
            };
        }

        return x;
    }
}

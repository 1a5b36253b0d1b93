using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Monolith.Trainer.Tests")]

"""The provider of `Custom::NeptuneMLModelTransformJob`: cancels a model transform job when its stack goes."""

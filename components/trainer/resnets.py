"""The public Model API, at the path it has always had: what `components.models.resnets` holds."""

from components.models.resnets import ResNet18, ResNet34, ResNet50, ResNet101, ResNet152, resnet

__all__ = ["ResNet18", "ResNet34", "ResNet50", "ResNet101", "ResNet152", "resnet"]

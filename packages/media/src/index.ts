export { isAnimatedWebp } from './animated-webp.js'
export { VIDEO_OPTIONS, type VideoOptions } from './codecs.js'
export type { ColorTags } from './color.js'
export { type ConcatOptions, concatVideos, type VideoPart } from './concat.js'
export { createFrames, isVideoPath, VIDEO_EXTENSIONS } from './create-frames.js'
export { findShots, type Shots, shotOf } from './find-shots.js'
export { createImageFolder, type ImageFolderOptions, imageNameOf } from './folder-sink.js'
export { type FootageStamp, footageStamp, frameNames, isFrameName } from './footage-stamp.js'
export { bitmapFrame, type Frame, type FramePart, type FrameRange, type FrameSource } from './frame.js'
export type { FrameSamples, SamplePlane } from './frame-samples.js'
export type { FrameChange, FrameSink } from './frame-sink.js'
export type { HdrInfo } from './hdr.js'
export { encodeSamples, type ImageSamples } from './image-samples.js'
export {
  encodeImage,
  IMAGE_FORMATS,
  IMAGE_OPTIONS,
  type ImageFormat,
  type ImageOptions,
  imageSize,
  type ReadImageOptions,
  readImage,
  writeImage,
} from './images.js'
export { type OpenFramesOptions, openFrames } from './open-frames.js'
export { type OwnChange, ownChange } from './own-change.js'
export { encodePhotoPng } from './photo-png.js'
export type { Rational } from './rational.js'
export { type CutFinder, createCutFinder, frameSignature } from './scene-cut.js'
export { drawText, type Label } from './text.js'
export { TIMESTAMPS } from './timestamps.js'
export { type AudioInfo, probeVideo, type VideoInfo } from './video-info.js'
export { type CreateVideoOptions, createVideo } from './video-sink.js'

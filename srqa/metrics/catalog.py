"""The registry: every metric of srqa, one entry each, in the order in which tables show them."""

from __future__ import annotations

from srqa.metrics import (
    brisque,
    classic,
    consistency,
    difference,
    distances,
    dists,
    fidelity,
    information,
    lpips,
    networks,
    niqe,
    piqe,
    registration,
    structural,
)
from srqa.metrics.spec import MetricSpec

_INF = float("inf")

_PSNR_GUIDANCE = (
    "Tells how close pixels are, and is what SR papers rank by. It prefers smooth averages to "
    "plausible detail, and a shift of one pixel ruins it: high PSNR does not mean good looks."
)
_SSIM_PAPER = (
    "Wang, Bovik, Sheikh, Simoncelli, Image quality assessment: from error visibility to "
    "structural similarity, IEEE TIP 13(4), 2004"
)
_SSIM_GUIDANCE = (
    "Compares local means, contrasts and structure. Closer to people than PSNR for blur and "
    "compression, still blind to whether invented texture looks real."
)
_SSIM_SETTINGS = "11x11 Gaussian, sigma 1.5, K1 0.01, K2 0.03, valid region, no downsampling"
_MS_SSIM_PAPER = (
    "Wang, Simoncelli, Bovik, Multiscale structural similarity for image quality assessment, "
    "Asilomar 2003"
)

_PHASE_GUIDANCE = (
    "Compares phase congruency and gradients where either is strong, so edges count and flat "
    "ground does not. Shrinks pictures to about 256 pixels a side first, so fine SR detail is "
    "not seen."
)
_PHASE_SETTINGS = (
    "F x F block mean with F = round(shorter side / 256), remainder dropped; 4 scales, 4 "
    "orientations; T1 0.85, T2 160"
)
_PHASE_PAPER = (
    "Zhang, Zhang, Mou, Zhang, FSIM: a feature similarity index for image quality assessment, "
    "IEEE TIP 20(8), 2011"
)
_GRADIENT_GUIDANCE = (
    "Measures how unevenly gradients are damaged: cheap and good at local distortion. A blur that "
    "is the same everywhere is judged too mildly."
)

_NIQE_SETTINGS = (
    "96x96 blocks, rest dropped; MSCN 7x7 Gaussian of sigma 7/6, edge repeated, 0 on flat ground; "
    "2 scales, MATLAB bicubic imresize of the float; shapes 0.2:0.001:10; LIVE's pristine model"
)
_NIQE_PAPER = (
    "Mittal, Soundararajan, Bovik, Making a completely blind image quality analyzer, IEEE SPL "
    "20(3), 2013"
)
_COIN = (
    "Between outputs of modern generative SR networks it agrees with people no better than a coin: "
    "46 to 48 % on two public sets of human choices, where plain Laplacian variance has 62 to 66 "
    "and the ceiling is 64 to 65."
)
_NIQE_GUIDANCE = (
    "How unlike pristine photographs the local statistics are: finds blur, noise and compression "
    "without a reference, and unsettled on pictures of few blocks, flat skies or graphics. " + _COIN
)

_IMAGENET = "ImageNet mean and deviation, float32, whole picture"
_LPIPS_PAPER = (
    "Zhang, Isola, Efros, Shechtman, Wang, The unreasonable effectiveness of deep features as a "
    "perceptual metric, CVPR 2018"
)
_LPIPS_GUIDANCE = (
    "Compares what a network sees, so plausible texture is forgiven and blur is not. Between "
    "outputs of modern SR networks LPIPS on AlexNet agrees with people about 76 % of the time "
    "where the ceiling is 80; it can be fooled by networks that were trained on it."
)
_ST_LPIPS_PAPER = "Ghildyal, Liu, Shift-tolerant perceptual similarity metric, ECCV 2022"
_ST_LPIPS_GUIDANCE = (
    "LPIPS with filters instead of strides, so that a shift of a pixel or two, which nobody sees, "
    "costs little. Use it beside `shift`, which says that there is one."
)
_DISTS_PAPER = (
    "Ding, Ma, Wang, Simoncelli, Image quality assessment: unifying structure and texture "
    "similarity, IEEE TPAMI 44(5), 2022"
)
_DISTS_SETTINGS = "VGG16 with L2 pooling (Hann 3x3), alpha and beta, c1 = c2 = 1e-6, "
_SURVEY = (
    "Wang, Chen, Hoi, Deep learning for image super-resolution: a survey, IEEE TPAMI 43(10), 2021"
)
_JOHNSON = (
    "Johnson, Alahi, Fei-Fei, Perceptual losses for real-time style transfer and super-resolution, "
    "ECCV 2016; "
)
_CONTENT_GUIDANCE = (
    "The perceptual loss that many SR networks were trained with, so it favours those: deep layers "
    "ask for the same objects, shallow ones nearly for the same pixels. Not fitted to people."
)
_TEXTURE_GUIDANCE = (
    "Whether the same textures occur, wherever they lie: it misses displaced detail and sees too "
    "smooth or too busy surfaces. Not fitted to people."
)


def _lpips(name: str, on: str, paper: str, guidance: str, weights: str = "") -> MetricSpec:
    network = lpips.NETWORKS[name]
    return MetricSpec(
        name=name,
        function=lpips.metric(name),
        summary=f"learned perceptual image patch similarity on {on}",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, _INF),
        min_side=network.min_side(),
        features=network.features(),
        weights=(weights or network.weights,),
        settings=f"v0.1, {on}, {_IMAGENET}",
        paper=paper,
        guidance=guidance,
    )


def _layer(kind: str, layer: str) -> MetricSpec:
    """`kind` "content" or "texture" on a VGG16 map; the name has hyphens only."""
    content = kind == "content"
    depth = networks.VGG16.maps[layer]
    return MetricSpec(
        name=f"{kind}-vgg16-{layer.replace('_', '-')}",
        function=distances.content(layer) if content else distances.texture(layer),
        summary=f"{kind} distance: VGG16 maps {layer}" + ("" if content else ", Gram matrices"),
        crop="none",
        higher_is_better=False,
        bounds=(0.0, _INF),
        min_side=networks.VGG16.min_side(depth),
        features=networks.VGG16.features((layer,)),
        weights=(networks.VGG16.weights,),
        settings=(
            ("root mean square" if content else "Gram matrix per place, norm over C^2")
            + f", torchvision's VGG16, {layer} {'after' if 'relu' in layer else 'before'} ReLU, "
            + _IMAGENET
        ),
        paper=(_JOHNSON if content else "Gatys, Ecker, Bethge, CVPR 2016; ") + _SURVEY,
        guidance=_CONTENT_GUIDANCE if content else _TEXTURE_GUIDANCE,
    )


CATALOG: tuple[MetricSpec, ...] = (
    MetricSpec(
        name="psnr",
        function=fidelity.squared_error,
        finish=fidelity.psnr_from,
        summary="peak signal-to-noise ratio over R, G and B",
        unit="dB",
        bounds=(0.0, _INF),
        additive=True,
        settings="peak 255 of 8 bits, one mean over all channels",
        guidance=_PSNR_GUIDANCE,
    ),
    MetricSpec(
        name="psnr-y",
        function=fidelity.squared_error,
        finish=fidelity.psnr_from,
        summary="peak signal-to-noise ratio of the BT.601 luma",
        input="y",
        unit="dB",
        bounds=(0.0, _INF),
        additive=True,
        settings="Y 16..235, peak 255",
        guidance=_PSNR_GUIDANCE,
    ),
    MetricSpec(
        name="ssim",
        function=structural.ssim,
        summary="structural similarity, mean of R, G and B",
        bounds=(-1.0, 1.0),
        min_side=structural.WINDOW,
        additive=True,
        halo=structural.HALO,
        settings=_SSIM_SETTINGS,
        paper=_SSIM_PAPER,
        guidance=_SSIM_GUIDANCE,
    ),
    MetricSpec(
        name="ssim-y",
        function=structural.ssim,
        summary="structural similarity of the BT.601 luma",
        input="y",
        bounds=(-1.0, 1.0),
        min_side=structural.WINDOW,
        additive=True,
        halo=structural.HALO,
        settings=_SSIM_SETTINGS,
        paper=_SSIM_PAPER,
        guidance=_SSIM_GUIDANCE,
    ),
    MetricSpec(
        name="ms-ssim",
        function=structural.ms_ssim,
        summary="multi-scale structural similarity, mean of R, G and B",
        bounds=(0.0, 1.0),
        min_side=structural.MS_MIN_SIDE,
        settings=_SSIM_SETTINGS + " at each of five scales, 2x2 mean between scales",
        paper=_MS_SSIM_PAPER,
        guidance=_SSIM_GUIDANCE,
    ),
    MetricSpec(
        name="ms-ssim-y",
        function=structural.ms_ssim,
        summary="multi-scale structural similarity of the BT.601 luma",
        input="y",
        bounds=(0.0, 1.0),
        min_side=structural.MS_MIN_SIDE,
        settings=_SSIM_SETTINGS + " at each of five scales, 2x2 mean between scales",
        paper=_MS_SSIM_PAPER,
        guidance=_SSIM_GUIDANCE,
    ),
    MetricSpec(
        name="mse",
        function=fidelity.squared_error,
        finish=fidelity.mse_from,
        summary="mean squared error over R, G and B, on the 0..255 scale",
        higher_is_better=False,
        bounds=(0.0, 255.0**2),
        additive=True,
        settings="one mean over all channels, 0..255",
        guidance=_PSNR_GUIDANCE,
    ),
    MetricSpec(
        name="rmse",
        function=fidelity.squared_error,
        finish=fidelity.rmse_from,
        summary="root of the mean squared error over R, G and B, on the 0..255 scale",
        higher_is_better=False,
        bounds=(0.0, 255.0),
        additive=True,
        settings="one mean over all channels, 0..255",
        guidance=_PSNR_GUIDANCE,
    ),
    MetricSpec(
        name="iw-ssim",
        function=information.iw_ssim,
        summary="multi-scale structural similarity weighted by information content",
        bounds=(0.0, 1.0),
        min_side=information.IW_MIN_SIDE,
        settings=(
            "luminance (rgb2gray, unrounded); Laplacian pyramid of 5 scales, filter 1 4 6 4 1, "
            "mirrored border; 3x3 neighbourhood with parent, noise 0.4; MS-SSIM weights, sum 1"
        ),
        paper=(
            "Wang, Li, Information content weighting for perceptual image quality assessment, "
            "IEEE TIP 20(5), 2011"
        ),
        guidance=(
            "MS-SSIM that listens most where the reference has much to say; among the best "
            "hand-made metrics on compression and noise. Invented SR texture still counts as error."
        ),
    ),
    MetricSpec(
        name="vif",
        function=information.vif,
        summary="visual information fidelity in the pixel domain (VIFp)",
        bounds=(0.0, _INF),
        min_side=information.VIF_MIN_SIDE,
        settings=(
            "luminance (rgb2gray, unrounded); pixel domain, 4 scales, windows 17 9 5 3, valid "
            "region, noise variance 2"
        ),
        paper="Sheikh, Bovik, Image information and visual quality, IEEE TIP 15(2), 2006",
        guidance=(
            "Share of the reference's information that is left: very sensitive to lost detail, so "
            "it separates blurry SR results well. Sharpening can lift it above 1."
        ),
    ),
    MetricSpec(
        name="fsim",
        function=classic.fsim,
        summary="feature similarity of the luminance",
        bounds=(0.0, 1.0),
        min_side=classic.FSIM_MIN_SIDE,
        batchable=False,
        differentiable=False,
        provider="piq",
        settings="luminance of YIQ; " + _PHASE_SETTINGS,
        paper=_PHASE_PAPER,
        guidance=_PHASE_GUIDANCE,
    ),
    MetricSpec(
        name="fsimc",
        function=classic.fsimc,
        summary="feature similarity with colour",
        bounds=(0.0, 1.0),
        min_side=classic.FSIM_MIN_SIDE,
        batchable=False,
        differentiable=False,
        provider="piq",
        settings="YIQ; " + _PHASE_SETTINGS + ", T3 and T4 200, colour to the power 0.03",
        paper=_PHASE_PAPER,
        guidance=_PHASE_GUIDANCE,
    ),
    MetricSpec(
        name="vsi",
        function=classic.vsi,
        summary="visual saliency-induced index",
        bounds=(0.0, 1.0),
        min_side=classic.VSI_MIN_SIDE,
        batchable=False,
        provider="piq",
        settings=(
            "LMN; SDSP saliency at 256x256 (bilinear without antialiasing, back with aligned "
            "corners), then F x F mean with F = round(shorter side / 256), edge repeated; "
            "C 1.27, 386, 130, powers 0.4 and 0.02"
        ),
        paper=(
            "Zhang, Shen, Li, VSI: a visual saliency-induced index for perceptual image quality "
            "assessment, IEEE TIP 23(10), 2014"
        ),
        guidance=(
            "Gradients and colour, weighted by where people look first. Its values crowd near 1, "
            "and it shrinks pictures first: small differences between SR methods are not seen."
        ),
    ),
    MetricSpec(
        name="sr-sim",
        function=classic.sr_sim,
        summary="spectral-residual similarity (the SR is not super-resolution)",
        bounds=(0.0, 1.0),
        min_side=classic.SR_SIM_MIN_SIDE,
        batchable=False,
        differentiable=False,
        provider="piq",
        settings=(
            "luminance of YIQ; F x F mean with F = round(shorter side / 256), zeros outside; "
            "saliency at 1/4 size, Gaussian 10x10 of sigma 3.8; C1 0.4, C2 225, power 0.5"
        ),
        paper=(
            "Zhang, Li, SR-SIM: a fast and high performance IQA index based on spectral residual, "
            "ICIP 2012"
        ),
        guidance=(
            "Gradients weighted by spectral-residual saliency: fast, but it shrinks pictures "
            "first and its values crowd near 1 for SR."
        ),
    ),
    MetricSpec(
        name="gmsd",
        function=classic.gmsd,
        summary="gradient magnitude similarity deviation",
        higher_is_better=False,
        bounds=(0.0, 0.5),
        min_side=classic.GMSD_MIN_SIDE,
        batchable=False,
        differentiable=False,
        provider="piq",
        settings=(
            "luminance of YIQ; 2x2 mean, Prewitt/3, zeros outside, T 170; deviation over n, not n-1"
        ),
        paper=(
            "Xue, Zhang, Mou, Bovik, Gradient magnitude similarity deviation: a highly efficient "
            "perceptual image quality index, IEEE TIP 23(2), 2014"
        ),
        guidance=_GRADIENT_GUIDANCE,
    ),
    MetricSpec(
        name="ms-gmsd",
        function=classic.ms_gmsd,
        summary="gradient magnitude similarity deviation over four scales",
        higher_is_better=False,
        bounds=(0.0, 0.5),
        min_side=classic.MS_GMSD_MIN_SIDE,
        batchable=False,
        differentiable=False,
        provider="piq",
        settings=(
            "luminance of YIQ; the first scale at full size, 2x2 means between scales, zeros "
            "outside; masking 0.5, T 170, weights 0.096 0.596 0.289 0.019; deviation over n"
        ),
        paper=(
            "Zhang, Sander, Bermak, Gradient magnitude similarity deviation on multiple scales "
            "for color image quality assessment, ICASSP 2017"
        ),
        guidance=_GRADIENT_GUIDANCE,
    ),
    MetricSpec(
        name="mdsi",
        function=classic.mdsi,
        summary="mean deviation similarity index of gradient and colour",
        higher_is_better=False,
        bounds=(0.0, 1.0),
        min_side=classic.MDSI_MIN_SIDE,
        batchable=False,
        differentiable=False,
        provider="piq",
        settings=(
            "LHM; F x F mean with F = round(shorter side / 256), zeros outside; C 140, 55, 550, "
            "sum with alpha 0.6, powers 0.25"
        ),
        paper=(
            "Nafchi, Shahkolaei, Hedjam, Cheriet, Mean deviation similarity index, "
            "IEEE Access 4, 2016"
        ),
        guidance=(
            "Deviation of gradient and colour similarity: quick and good on mixed distortions. "
            "Even damage over the whole picture is judged too mildly, and small errors look large "
            "after its fourth root."
        ),
    ),
    MetricSpec(
        name="haarpsi",
        function=classic.haarpsi,
        summary="Haar wavelet perceptual similarity",
        bounds=(0.0, 1.0),
        min_side=classic.HAARPSI_MIN_SIDE,
        batchable=False,
        differentiable=False,
        provider="piq",
        settings="YIQ; 2x2 mean first, 3 Haar scales, zeros outside; C 30, alpha 4.2",
        paper=(
            "Reisenhofer, Bosse, Kutyniok, Wiegand, A Haar wavelet-based perceptual similarity "
            "index for image quality assessment, Signal Processing: Image Communication 61, 2018"
        ),
        guidance=(
            "Compares Haar wavelets of two scales after halving the picture: agrees well with "
            "people on classical distortions, blind to the finest detail that SR adds."
        ),
    ),
    MetricSpec(
        name="dss",
        function=classic.dss,
        summary="DCT sub-band similarity",
        bounds=(-1.0, 1.0),
        min_side=classic.DSS_MIN_SIDE,
        batchable=False,
        differentiable=False,
        provider="piq",
        settings=(
            "luminance of YIQ, cut to a multiple of 8; 8x8 DCT, sub-bands with weight above 0.01 "
            "(sigma 1.55), 3x3 Gaussian of sigma 1.5, zeros outside, worst 5 %; C 1000 and 300"
        ),
        paper=(
            "Balanov, Schwartz, Moshe, Peleg, Image quality assessment based on DCT subband "
            "similarity, ICIP 2015"
        ),
        guidance=(
            "Judges the worst twentieth of each low DCT band: good for blocking and local flaws. "
            "The high frequencies, where SR methods differ, get no weight."
        ),
    ),
    MetricSpec(
        name="delta-e",
        function=difference.delta_e,
        summary="mean colour difference CIEDE2000",
        higher_is_better=False,
        bounds=(0.0, _INF),
        additive=True,
        settings="sRGB, D65, 2 degrees, kL = kC = kH = 1, mean over pixels",
        paper=(
            "Sharma, Wu, Dalal, The CIEDE2000 color-difference formula: implementation notes, "
            "supplementary test data, and mathematical observations, Color Res. Appl. 30(1), 2005"
        ),
        guidance=(
            "Finds colour shifts that Y metrics cannot see; about 1 is just visible on large "
            "patches. It compares pixel by pixel, so texture and edges count as colour errors too."
        ),
    ),
    _lpips("lpips", "AlexNet", _LPIPS_PAPER, _LPIPS_GUIDANCE),
    _lpips("lpips-vgg", "VGG16", _LPIPS_PAPER, _LPIPS_GUIDANCE),
    _lpips("lpips-squeeze", "SqueezeNet 1.1", _LPIPS_PAPER, _LPIPS_GUIDANCE, "lpips-squeeze-heads"),
    _lpips("st-lpips", "shift-tolerant AlexNet", _ST_LPIPS_PAPER, _ST_LPIPS_GUIDANCE),
    _lpips("st-lpips-vgg", "shift-tolerant VGG16", _ST_LPIPS_PAPER, _ST_LPIPS_GUIDANCE),
    MetricSpec(
        name="dists",
        function=dists.dists,
        summary="deep image structure and texture similarity, at the picture's own size",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, 1.0),
        min_side=dists.MIN_SIDE,
        features=networks.VGG16_L2.features(),
        weights=dists.WEIGHTS,
        settings=_DISTS_SETTINGS + "own size (NTIRE, pyiqa, torchmetrics), " + _IMAGENET,
        paper=_DISTS_PAPER,
        guidance=(
            "Forgives texture that is different but alike, such as grass or gravel, which other "
            "metrics punish. Lower is better; it says little about small wrong details."
        ),
    ),
    MetricSpec(
        name="dists-256",
        function=dists.dists_256,
        summary="deep image structure and texture similarity, shorter side shrunk to 256 pixels",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, 1.0),
        min_side=dists.MIN_SIDE,
        features=networks.VGG16_L2.features(),
        weights=dists.WEIGHTS,
        settings=(
            _DISTS_SETTINGS + "shorter side shrunk to 256 (Pillow bilinear, 8 bits) if it is "
            "longer, " + _IMAGENET
        ),
        paper=_DISTS_PAPER,
        guidance=(
            "DISTS as its authors' code prints it. Shrinking hides the detail in which SR methods "
            "differ: use `dists` unless you compare with numbers made this way."
        ),
    ),
    _layer("content", "relu2_2"),
    _layer("content", "relu4_3"),
    _layer("content", "conv5_3"),
    _layer("texture", "relu2_2"),
    _layer("texture", "relu4_3"),
    MetricSpec(
        name="tv",
        function=distances.total_variation,
        summary="total variation of R, G and B",
        kind="nr",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, _INF),
        min_side=2,
        settings="mean over samples and channels of the root of the two squared steps, 0..1",
        paper="Rudin, Osher, Fatemi, Physica D 60, 1992; " + _SURVEY,
        guidance=(
            "Not a quality: how much there is of edges, texture and noise together. Compare it "
            "with the reference's own value; lower means smoother, which is no merit in itself."
        ),
    ),
    MetricSpec(
        name="shift",
        function=registration.shift,
        summary="displacement against the reference",
        input="y",
        crop="none",
        higher_is_better=False,
        unit="px",
        bounds=(0.0, _INF),
        min_side=registration.MIN_SIDE,
        batchable=False,
        differentiable=False,
        alert=(
            0.25,
            "a displaced output is most often a bug in the code that made it (a half-pixel or "
            "corner convention), and it spoils the other full-reference metrics.",
        ),
        settings="phase of the cross-spectrum below 0.1 cycles/px, Hann window, whole picture",
        paper=(
            "after Kuglin, Hines, The phase correlation image alignment method, 1975, and Stone, "
            "Orchard, Chang, Martucci, IEEE TGRS 39(10), 2001"
        ),
        guidance=(
            "Not a quality: more than a quarter of a pixel is a bug in resampling code, and spoils "
            "every other full-reference metric. A zoom about the centre does not show in it."
        ),
    ),
    MetricSpec(
        name="lr-psnr",
        function=consistency.lr_psnr,
        summary="PSNR between the shrunk picture and the low-resolution input, over R, G and B",
        kind="lr",
        crop="none",
        unit="dB",
        bounds=(0.0, _INF),
        settings="MATLAB bicubic imresize, antialiased, mirrored border, not rounded after it",
        paper=(
            "Lugmayr, Danelljan, Timofte et al., NTIRE 2021 Learning the super-resolution space "
            "challenge, CVPRW 2021"
        ),
        guidance=(
            "Whether the result still fits its input, whatever detail was invented: above 45 dB "
            "counts as consistent. Meaningful only for inputs made by bicubic shrinking."
        ),
    ),
    MetricSpec(
        name="niqe",
        function=niqe.niqe,
        summary="natural image quality evaluator on the BT.601 luma",
        kind="nr",
        input="y",
        rounding="uint8",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, _INF),
        min_side=niqe.BLOCK,
        batchable=False,
        differentiable=False,
        settings="Y rounded (PIRM, BasicSR); " + _NIQE_SETTINGS,
        paper=_NIQE_PAPER,
        guidance=_NIQE_GUIDANCE,
    ),
    MetricSpec(
        name="niqe-gray",
        function=niqe.niqe,
        summary="natural image quality evaluator on grey, as in the authors' release",
        kind="nr",
        input="gray",
        rounding="uint8",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, _INF),
        min_side=niqe.BLOCK,
        batchable=False,
        differentiable=False,
        settings="rgb2gray rounded; " + _NIQE_SETTINGS,
        paper=_NIQE_PAPER,
        guidance=_NIQE_GUIDANCE,
    ),
    MetricSpec(
        name="brisque",
        function=brisque.brisque,
        summary="blind/referenceless image spatial quality evaluator",
        kind="nr",
        input="gray",
        rounding="uint8",
        crop="none",
        higher_is_better=False,
        min_side=brisque.MIN_SIDE,
        batchable=False,
        differentiable=False,
        settings=(
            "rgb2gray rounded; LIVE's model for C++ (770 support vectors, as in OpenCV) with its "
            "features: MSCN 7x7 Gaussian of sigma 7/6, edge repeated; 2 scales, bicubic a -0.75 "
            "without antialiasing; not cut to 0..100"
        ),
        paper=(
            "Mittal, Moorthy, Bovik, No-reference image quality assessment in the spatial domain, "
            "IEEE TIP 21(12), 2012"
        ),
        guidance=(
            "Trained on what people said of blur, noise and compression in the LIVE database, and "
            "good at these; light noise can lower it, and a picture unlike any of LIVE gets 155.8. "
            "MATLAB's and pyiqa's numbers come from another model. " + _COIN
        ),
    ),
    MetricSpec(
        name="piqe",
        function=piqe.piqe,
        summary="perception based image quality evaluator, without training",
        kind="nr",
        input="gray",
        rounding="uint8",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, 100.0),
        min_side=piqe.BLOCK,
        batchable=False,
        differentiable=False,
        settings=(
            "rgb2gray rounded; 16x16 blocks, sides mirrored to whole blocks; activity 0.1, edge "
            "runs of 6 below 0.1; surround without columns 8 and 10, as in MATLAB"
        ),
        paper=(
            "Venkatanath, Praneeth, Maruthi Chandrasekhar, Channappayya, Medasani, Blind image "
            "quality evaluation using perception based features, NCC 2015"
        ),
        guidance=(
            "The share of textured blocks with smeared edges or noise: tells blur and compression "
            "well. Shallow focus counts as damage, light noise or sharpening lowers it, and a "
            "picture without texture has 100."
        ),
    ),
)
